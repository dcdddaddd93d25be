-- The office. Unless a table says otherwise it is a projection: it can be dropped and folded again from
-- `event`, bit for bit (`verify` does it and compares).

-- The sites of the tree that this site knows of.
CREATE TABLE site (
    code       TEXT PRIMARY KEY, -- 12 digits
    name       TEXT NOT NULL,
    tier       TEXT NOT NULL,    -- district, street, community
    public_key TEXT NOT NULL,    -- Ed25519, 64 hex digits: checks its heads and its certificates
    hlc        BIGINT NOT NULL   -- of the event that says so; the newest wins
);

-- Who may sign in. A password is kept as scrypt (crypto.h) of a random salt.
CREATE TABLE account (
    username TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    role     TEXT NOT NULL, -- agent clerk reviewer dispatcher courier supervisor admin
    site     TEXT NOT NULL,
    salt     TEXT NOT NULL, -- 32 hex digits
    hash     TEXT NOT NULL, -- 64 hex digits
    hlc      BIGINT NOT NULL
);

-- Open sign-ins. Not a projection: a site that loses it asks people to sign in again.
CREATE TABLE session (
    token_hash BYTEA  PRIMARY KEY, -- SHA-256 of the token; the token itself is nowhere
    username   TEXT   NOT NULL,
    expires_ms BIGINT NOT NULL
);

-- One row per case: what lists, rights and figures need. Everything else of a case is folded from its
-- events when somebody opens it.
CREATE TABLE case_file (
    street       TEXT NOT NULL,
    case_no      TEXT NOT NULL, -- 21 digits
    item         TEXT NOT NULL,
    item_name    TEXT NOT NULL,
    item_name_en TEXT NOT NULL,
    applicant_name TEXT NOT NULL,
    applicant_id TEXT NOT NULL,
    community    TEXT NOT NULL, -- where the applicant lives, or ''
    filed_at     TEXT NOT NULL, -- the site that took it
    custodian    TEXT NOT NULL,
    custody_no   BIGINT NOT NULL,
    held         TEXT NOT NULL, -- every site that ever was custodian: " 331002003901 331002003000 "
    state        TEXT NOT NULL,
    filed_ms     BIGINT NOT NULL,
    promised_ms  BIGINT NOT NULL, -- 0: no promise
    completed_ms BIGINT NOT NULL, -- 0: not yet
    trips_saved  BIGINT NOT NULL,
    PRIMARY KEY (street, case_no)
);
CREATE UNIQUE INDEX case_by_no ON case_file (case_no);
CREATE INDEX case_by_time ON case_file (filed_ms, case_no);
CREATE INDEX case_by_state ON case_file (state, filed_ms, case_no);
CREATE INDEX case_by_person ON case_file (applicant_id, item);
CREATE INDEX case_by_completion ON case_file (completed_ms);

-- Which papers a case names: the right to see a paper comes from here.
CREATE TABLE case_document (
    street  TEXT NOT NULL,
    case_no TEXT NOT NULL,
    digest  TEXT NOT NULL,
    PRIMARY KEY (street, case_no, digest)
);
CREATE INDEX case_document_by_digest ON case_document (digest);
CREATE INDEX case_document_by_case ON case_document (case_no);

-- Results that were issued.
CREATE TABLE certificate (
    street    TEXT NOT NULL,
    number    TEXT NOT NULL,
    case_no   TEXT NOT NULL,
    issuer    TEXT NOT NULL, -- site
    issued_ms BIGINT NOT NULL,
    state     TEXT NOT NULL, -- valid, revoked
    PRIMARY KEY (street, number, case_no)
);
CREATE INDEX certificate_by_number ON certificate (number);

-- One row per delivery of a result.
CREATE TABLE delivery (
    street   TEXT NOT NULL,
    id       TEXT NOT NULL, -- case number and "-1"
    case_no  TEXT NOT NULL,
    method   TEXT NOT NULL, -- agent courier pickup
    state    TEXT NOT NULL, -- ordered assigned picked_up in_transit handed_over failed returned
    courier  TEXT NOT NULL, -- username, or ''
    waybill  TEXT NOT NULL, -- UPU S10, or ''
    ordered_ms BIGINT NOT NULL,
    PRIMARY KEY (street, id)
);
CREATE INDEX delivery_by_state ON delivery (state, ordered_ms);
CREATE INDEX delivery_by_courier ON delivery (courier, state);
CREATE INDEX delivery_by_id ON delivery (id);

-- Ranges of numbers leased to a site ahead of time.
CREATE TABLE block (
    street TEXT   NOT NULL,
    kind   TEXT   NOT NULL, -- case (per day), certificate, waybill
    holder TEXT   NOT NULL,
    first  BIGINT NOT NULL,
    last   BIGINT NOT NULL,
    hlc    BIGINT NOT NULL, -- of the event that leased it
    PRIMARY KEY (street, kind, first)
);

-- The next number of each holder: one more than the highest that an event names.
CREATE TABLE counter (
    street TEXT   NOT NULL,
    kind   TEXT   NOT NULL,
    holder TEXT   NOT NULL,
    scope  TEXT   NOT NULL, -- the day as yymmdd for cases, else ''
    next   BIGINT NOT NULL,
    PRIMARY KEY (street, kind, holder, scope)
);

-- Work that did not fit: what was set aside, whose it was, until when somebody must look at it.
CREATE TABLE repair (
    street      TEXT   NOT NULL,
    origin      TEXT   NOT NULL, -- of the event that was set aside
    seq         BIGINT NOT NULL,
    case_no     TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    owner       TEXT   NOT NULL, -- site
    deadline_ms BIGINT NOT NULL,
    PRIMARY KEY (street, origin, seq)
);

-- One-time invitations for children. Not a projection, and never leaves this site.
CREATE TABLE invitation (
    secret_hash BYTEA  PRIMARY KEY, -- SHA-256
    site        TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    case_numbers BIGINT NOT NULL,   -- size of the first block
    expires_ms  BIGINT NOT NULL,
    used_ms     BIGINT NOT NULL DEFAULT 0
);

-- What a parent promised each child: it takes no case back before promised + length (and a margin) on its
-- own lease clock. Not a projection.
CREATE TABLE lease (
    child       TEXT   PRIMARY KEY,
    promised_ms BIGINT NOT NULL,
    length_ms   BIGINT NOT NULL
);
