-- The ledger: facts. Nothing here can be made again from anything else; every other table can be folded
-- from `event`. Common subset of SQLite and PostgreSQL.

-- Every event this site holds, its own and received ones, for ever. An event that does not fit is stored
-- too, set aside with its reason, and never blocks those behind it.
CREATE TABLE event (
    street   TEXT    NOT NULL, -- 12-digit code of the street concerned: what a larger hub is split by
    origin   TEXT    NOT NULL, -- the site that appended it, "331002003901", in a later epoch "331002003901.2"
    seq      BIGINT  NOT NULL, -- 1, 2, 3 ... without gaps per origin
    hlc      BIGINT  NOT NULL, -- hybrid logical clock: Unix ms * 65536 + counter
    kind     TEXT    NOT NULL, -- "case.filed/1"
    case_no  TEXT    NOT NULL, -- the case it belongs to, or ''
    actor    TEXT    NOT NULL, -- username, or '' for a resident or the program
    body     TEXT    NOT NULL, -- canonical JSON (RFC 8785)
    hash     BYTEA,            -- SHA-256(hash before it || encoding); NULL where this site holds the
                               -- origin only in part (events that came down from the parent)
    state    TEXT    NOT NULL, -- 'applied' or 'aside'
    reason   TEXT,             -- why it was set aside
    from_peer TEXT,            -- the link it came by; NULL: appended here
    PRIMARY KEY (street, origin, seq)
);
CREATE UNIQUE INDEX event_by_origin ON event (origin, seq);
CREATE INDEX event_by_case ON event (case_no, hlc, origin, seq);
CREATE INDEX event_by_time ON event (hlc, origin, seq);

-- One row per origin that this site holds from its first event on: itself and its subtree.
CREATE TABLE origin (
    origin     TEXT   PRIMARY KEY,
    seq        BIGINT NOT NULL, -- of the last event
    hash       BYTEA  NOT NULL, -- of the last event: the head of the chain
    public_key BYTEA,           -- Ed25519 key of the site, once known
    signed_seq BIGINT NOT NULL DEFAULT 0, -- the newest head that the origin has signed
    signed_hash BYTEA,
    signature  BYTEA
);

-- One row per link: the parent, and every enrolled child.
CREATE TABLE link (
    peer       TEXT   PRIMARY KEY, -- site code
    role       TEXT   NOT NULL,    -- 'parent' or 'child': what the peer is to us
    stream     BYTEA  NOT NULL,    -- 16 random bytes: names this outbox; a new outbox has a new name
    head_pos   BIGINT NOT NULL DEFAULT 0, -- last position given out
    acked_pos  BIGINT NOT NULL DEFAULT 0, -- the peer holds everything up to here durably
    peer_stream BYTEA,             -- the peer's outbox that recv_pos counts in
    recv_pos   BIGINT NOT NULL DEFAULT 0, -- we hold everything of it up to here
    last_contact_ms BIGINT NOT NULL DEFAULT 0 -- wall clock
);

-- What goes to each peer, in order. Written in the transaction that stores the event; kept, so that a
-- peer restored from a backup can be served again.
CREATE TABLE outbox (
    peer   TEXT   NOT NULL,
    pos    BIGINT NOT NULL, -- 1, 2, 3 ... per peer
    origin TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    at_ms  BIGINT NOT NULL, -- wall clock: the age of what is unsent
    PRIMARY KEY (peer, pos)
);
CREATE UNIQUE INDEX outbox_by_event ON outbox (peer, origin, seq);

-- Papers: one row per blob that an event names.
CREATE TABLE document (
    digest     TEXT   PRIMARY KEY, -- "sha256:<hex>"
    street     TEXT   NOT NULL,
    case_no    TEXT   NOT NULL,    -- the case that named it first
    size       BIGINT NOT NULL,    -- bytes
    media_type TEXT   NOT NULL,
    state      TEXT   NOT NULL,    -- 'here', 'wanted' (fetch it), 'remote' (fetch when somebody asks)
    urgent     INTEGER NOT NULL DEFAULT 0, -- somebody is waiting for it
    sent       INTEGER NOT NULL DEFAULT 0, -- the parent has said that it holds it durably
    hlc        BIGINT NOT NULL,    -- of the event that named it: older ones are fetched first
    name       TEXT   NOT NULL DEFAULT '' -- as the sender called the file; for people only
);
CREATE INDEX document_by_state ON document (state, urgent, hlc);
CREATE INDEX document_by_sent ON document (sent, state, case_no);

-- What this site must remember that is neither fact nor projection: its last clock, marks of the link.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
