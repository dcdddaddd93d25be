-- What the calls of this site keep for themselves. Neither table is part of the ledger: a site that
-- loses them loses only the memory of recent requests and unfinished uploads.

-- The answer to each creating call that named an Idempotency-Key, kept for a week: a repeated request
-- gets the first answer and does nothing again. Written in the transaction of the work itself.
CREATE TABLE idempotency (
    caller       TEXT NOT NULL,    -- user name, or '' for residents
    key          TEXT NOT NULL,    -- the header's value
    request_hash BYTEA NOT NULL,   -- SHA-256 of method, path and body: one key, one request
    status       BIGINT NOT NULL,  -- HTTP status of the answer
    body         TEXT NOT NULL,    -- its canonical JSON
    created_ms   BIGINT NOT NULL,  -- Unix milliseconds
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_ms);

-- Uploads by tus. The bytes so far are the file DIR/uploads/ID; its size is the offset. A finished
-- upload names its digest; its bytes are then a blob.
CREATE TABLE upload (
    id          TEXT NOT NULL PRIMARY KEY, -- 32 hex digits, random: knowing it is the right to it
    length      BIGINT NOT NULL,           -- bytes announced
    name        TEXT NOT NULL,             -- file name as the sender gave it, for people only
    created_ms  BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,           -- afterwards the row and an unfinished file are removed
    digest      TEXT,                      -- 'sha256:<hex>' once finished
    media_type  TEXT                       -- told from the content, once finished
);
CREATE INDEX upload_by_expiry ON upload (expires_ms);
