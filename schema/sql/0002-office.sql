-- The office: what every kind of work needs. Unless a table says otherwise it is a projection: it can be dropped
-- and folded again from `event`, bit for bit (`verify` does it and compares).

-- The sites of the tree that this site knows of.
CREATE TABLE site (
    code       TEXT PRIMARY KEY, -- 12 digits
    name       TEXT NOT NULL,
    tier       TEXT NOT NULL,    -- district, street, community
    public_key TEXT NOT NULL,    -- Ed25519, 64 hex digits: checks its heads and its certificates
    ended      TEXT NOT NULL,    -- '': it stands; 'revoked': let in no more; 'lost': and what it has not sent will never come
    rev        BIGINT NOT NULL,  -- of the fact that says so: the highest wins, then the newest
    hlc        BIGINT NOT NULL
);

-- What the program of a site knows, as it says itself. No row: the type whose ids are numbers, and no critical kind.
CREATE TABLE equipped (
    site     TEXT PRIMARY KEY,
    program  TEXT NOT NULL, -- name and version, for people
    types    TEXT NOT NULL, -- of dossiers: " case ticket "
    critical TEXT NOT NULL, -- kinds of events that must be known to decide beside them
    hlc      BIGINT NOT NULL -- of the event that says so; the newest wins
);

-- Who may sign in. A password is kept as scrypt (crypto.h) of a random salt. Two sites may use the same user name.
CREATE TABLE account (
    site     TEXT NOT NULL, -- where the person works
    username TEXT NOT NULL,
    name     TEXT NOT NULL, -- as colleagues read it
    role     TEXT NOT NULL, -- agent clerk reviewer dispatcher courier supervisor admin
    salt     TEXT NOT NULL, -- 32 hex digits
    hash     TEXT NOT NULL, -- 64 hex digits
    rev      BIGINT NOT NULL, -- of the fact that says so: the highest wins, then the newest
    hlc      BIGINT NOT NULL,
    PRIMARY KEY (site, username)
);
CREATE INDEX account_by_name ON account (username);

-- Open sign-ins. Not a projection: a site that loses it asks people to sign in again.
CREATE TABLE session (
    token_hash BYTEA  PRIMARY KEY, -- SHA-256 of the token; the token itself is nowhere
    site       TEXT   NOT NULL,    -- of the account
    username   TEXT   NOT NULL,
    expires_ms BIGINT NOT NULL
);

-- Ranges of numbers leased to a site ahead of time.
CREATE TABLE block (
    street TEXT   NOT NULL,
    kind   TEXT   NOT NULL, -- of a number space: case (per day), certificate, waybill ...
    holder TEXT   NOT NULL, -- site
    first  BIGINT NOT NULL,
    last   BIGINT NOT NULL,
    hlc    BIGINT NOT NULL, -- of the event that leased it
    PRIMARY KEY (street, kind, holder, first)
);

-- The next number of each holder: one more than the highest that an event names.
CREATE TABLE counter (
    street TEXT   NOT NULL, -- of the holder
    kind   TEXT   NOT NULL, -- as in `block`
    holder TEXT   NOT NULL, -- site
    scope  TEXT   NOT NULL, -- the day as yymmdd for cases, else ''
    next   BIGINT NOT NULL,
    PRIMARY KEY (street, kind, holder, scope)
);

-- Work that did not fit: what was set aside, whose it was, until when somebody must look at it.
CREATE TABLE repair (
    street      TEXT   NOT NULL,
    origin      TEXT   NOT NULL, -- of the event that was set aside
    seq         BIGINT NOT NULL,
    dossier     TEXT   NOT NULL, -- it belongs to, or ''
    kind        TEXT   NOT NULL, -- of the event
    reason      TEXT   NOT NULL, -- for people
    owner       TEXT   NOT NULL, -- site
    deadline_ms BIGINT NOT NULL,
    PRIMARY KEY (street, origin, seq)
);

-- Papers: one row per blob that an event names or that was uploaded here. Not a projection: where the bytes are, no
-- event says.
CREATE TABLE document (
    digest     TEXT   PRIMARY KEY, -- "sha256:<hex>"
    street     TEXT   NOT NULL,
    dossier    TEXT   NOT NULL,    -- the one that named it first; '': uploaded, and named by none so far
    size       BIGINT NOT NULL,    -- bytes
    media_type TEXT   NOT NULL,
    state      TEXT   NOT NULL,    -- 'here', 'wanted' (fetch it), 'remote' (fetch when somebody asks)
    urgent     INTEGER NOT NULL DEFAULT 0, -- somebody is waiting for it
    sent       INTEGER NOT NULL DEFAULT 0, -- the parent has said that it holds it durably
    hlc        BIGINT NOT NULL,    -- of the event that named it: older ones are fetched first
    name       TEXT   NOT NULL DEFAULT '' -- as the sender called the file; for people only
);
CREATE INDEX document_by_state ON document (state, urgent, hlc);
CREATE INDEX document_by_sent ON document (sent, state, dossier);

-- Which papers a dossier names: the right to see a paper comes from here.
CREATE TABLE paper (
    street  TEXT NOT NULL,
    dossier TEXT NOT NULL,
    digest  TEXT NOT NULL, -- of a row of `document`
    PRIMARY KEY (dossier, digest, street)
) WITHOUT ROWID;
CREATE INDEX paper_by_digest ON paper (digest);

-- One-time invitations for children. Not a projection, and never leaves this site.
CREATE TABLE invitation (
    secret_hash BYTEA  PRIMARY KEY, -- SHA-256
    site        TEXT   NOT NULL,    -- who is invited
    name        TEXT   NOT NULL,
    case_numbers BIGINT NOT NULL,   -- size of the first block
    expires_ms  BIGINT NOT NULL,
    used_ms     BIGINT NOT NULL DEFAULT 0 -- 0: not yet
);

-- What a parent promised each child: it takes no case back before promised + length (and a margin) on its
-- own lease clock. Not a projection.
CREATE TABLE lease (
    child       TEXT   PRIMARY KEY, -- site
    promised_ms BIGINT NOT NULL,    -- on this site's lease clock
    length_ms   BIGINT NOT NULL
);
