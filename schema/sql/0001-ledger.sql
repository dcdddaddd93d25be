-- The ledger: facts. Nothing here can be made again from anything else; every projection (office, catalogue,
-- case) can be folded from `event`. Common subset of SQLite and PostgreSQL, but for WITHOUT ROWID, which is
-- SQLite's (rows stand in the tree of their key); the PostgreSQL driver leaves the words out.
-- Keys are led by what is asked for; `street` stays in each of them, as a larger hub is split by it.

-- Every event this site holds, its own and received ones, for ever. An event that does not count is stored
-- too, with its state and reason, and never blocks those behind it. Its personal part may be taken away
-- later: then only its digest stays (a shell), and the event is checked, chained and folded as before.
CREATE TABLE event (
    street   TEXT    NOT NULL, -- 12-digit code of the street concerned
    origin   TEXT    NOT NULL, -- the site that appended it, "331002003901", in a later epoch "331002003901.2"
    seq      BIGINT  NOT NULL, -- 1, 2, 3 ... without gaps per origin
    hlc      BIGINT  NOT NULL, -- hybrid logical clock: Unix ms * 65536 + counter
    kind     TEXT    NOT NULL, -- "case.filed/1"
    dossier  TEXT    NOT NULL, -- the one thing whose history it belongs to (a case: its number), or '' for a fact
    actor    TEXT    NOT NULL, -- username, or '' for a resident or the program
    flags    BIGINT  NOT NULL, -- sum of 1 critical, 2 signed, 4 has a personal part (here or not)
    record   TEXT    NOT NULL, -- canonical JSON (RFC 8785): what stays
    personal TEXT,             -- canonical JSON: what may go; NULL: it has none, or it is gone
    salt     BYTEA,            -- 16 random bytes, hashed with `personal`; gone with it
    personal_digest BYTEA,     -- SHA-256("doorstep.personal.2" salt personal), only when these are gone
    more     BYTEA,            -- what a later version of the encoding has added: kept and passed on; NULL: nothing
    signature BYTEA,           -- 64 bytes, Ed25519 under the key of the site, with flag 2
    hash     BYTEA,            -- of the chain up to here (protocol.md 2); NULL where this site holds the
                               -- origin only in part (events that came down from the parent)
    state    TEXT    NOT NULL, -- 'applied'; 'aside': its author's to say, but it does not stand; 'denied': not its
                               -- author's to say, as far as the events here tell; 'refused': never its author's to
                               -- say; 'unknown': this program does not know the kind. 'denied' and 'refused' never go down
    reason   TEXT,             -- why it is not 'applied', for people
    from_peer TEXT,            -- the link it came by; NULL: appended here
    up_pos   BIGINT,           -- its position in the outbox to the parent: 1, 2, 3 ...; NULL: it came from there, or
                               -- there is no parent
    PRIMARY KEY (origin, seq, street)
);
-- Sorted within equal keys where somebody asks for it: that is always little.
CREATE INDEX event_by_dossier ON event (dossier, hlc);
CREATE UNIQUE INDEX event_by_up ON event (up_pos) WHERE up_pos IS NOT NULL;
-- What a newer program may know: folded again when it does.
CREATE INDEX event_unknown ON event (kind) WHERE state = 'unknown';
CREATE INDEX event_shell ON event (dossier) WHERE personal_digest IS NOT NULL;

-- One row per origin that this site holds from its first event on: itself and its subtree.
CREATE TABLE origin (
    origin     TEXT   PRIMARY KEY, -- a site, or one of its later epochs
    seq        BIGINT NOT NULL, -- of the last event; 0: only the key is known
    hash       BYTEA  NOT NULL, -- of the last event: the head of the chain
    public_key BYTEA,           -- Ed25519 key of the site, once known; in the row of its first epoch
    signed_seq BIGINT NOT NULL DEFAULT 0, -- the newest head that the origin has signed; 0: none
    signed_hash BYTEA,          -- its hash
    signature  BYTEA            -- 64 bytes over it
);

-- One row per link: the parent, and every enrolled child.
CREATE TABLE link (
    peer       TEXT   PRIMARY KEY, -- site code
    role       TEXT   NOT NULL,    -- 'parent' or 'child': what the peer is to us
    stream     BYTEA  NOT NULL,    -- 16 random bytes: names this outbox; a new outbox has a new name
    head_pos   BIGINT NOT NULL DEFAULT 0, -- last position given out
    acked_pos  BIGINT NOT NULL DEFAULT 0, -- the peer holds everything up to here durably
    peer_stream BYTEA,             -- the peer's outbox that recv_pos counts in; NULL: none yet
    recv_pos   BIGINT NOT NULL DEFAULT 0, -- we hold everything of it up to here
    last_contact_ms BIGINT NOT NULL DEFAULT 0, -- wall clock
    skew_ms    BIGINT NOT NULL DEFAULT 0 -- the peer's wall clock minus ours, when they were compared last
);

-- What goes to each child, in order: a selection. (What goes to the parent is everything: event.up_pos.) Written
-- in the transaction that stores the event; kept, so that a peer restored from a backup can be served again.
CREATE TABLE outbox (
    peer   TEXT   NOT NULL, -- a child
    pos    BIGINT NOT NULL, -- rising per peer; a position once given out is never used again
    origin TEXT   NOT NULL, -- the event:
    seq    BIGINT NOT NULL, -- ... its name as of today
    at_ms  BIGINT NOT NULL, -- wall clock: the age of what is unsent
    PRIMARY KEY (peer, pos)
) WITHOUT ROWID;
CREATE UNIQUE INDEX outbox_by_event ON outbox (origin, seq, peer);

-- What this site must remember that is neither fact nor projection: its last clock, marks of links and leases.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY, -- shared/ledger/meta.h lists them
    value TEXT NOT NULL
);
