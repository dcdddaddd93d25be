-- Fewer keys for what grows. An event cost eight entries in trees, now it costs four: the catch-up of a queue is
-- mostly that. What goes up to the parent is everything, in the order in which it came: a number in the event's
-- own row says all that its outbox has to say. Keys are led by what is asked for; `street` stays in each of them, as a larger hub needs.
-- WITHOUT ROWID is SQLite's (rows stand in the tree of their key); the PostgreSQL driver leaves the words out.

-- The newest hybrid clock seen, so that opening needs no index by time.
INSERT INTO meta (key, value) SELECT 'hlc', CAST(coalesce(max(hlc), 0) AS TEXT) FROM event;

DROP INDEX event_by_origin;
DROP INDEX event_by_case;
DROP INDEX event_by_time;
ALTER TABLE event RENAME TO event_4;
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
    up_pos   BIGINT,           -- its position in the outbox to the parent: 1, 2, 3 ...; NULL: it came from there, or
                               -- there is no parent
    PRIMARY KEY (origin, seq, street)
);
INSERT INTO event (street, origin, seq, hlc, kind, case_no, actor, body, hash, state, reason, from_peer, up_pos)
    SELECT street, origin, seq, hlc, kind, case_no, actor, body, hash, state, reason, from_peer,
        (SELECT o.pos FROM outbox o JOIN link l ON l.peer = o.peer AND l.role = 'parent'
         WHERE o.origin = event_4.origin AND o.seq = event_4.seq)
    FROM event_4;
DROP TABLE event_4;
CREATE INDEX event_by_case ON event (case_no, hlc, origin, seq);
CREATE UNIQUE INDEX event_by_up ON event (up_pos) WHERE up_pos IS NOT NULL;

-- What goes to each child, in order: a selection.
DROP INDEX outbox_by_event;
ALTER TABLE outbox RENAME TO outbox_4;
CREATE TABLE outbox (
    peer   TEXT   NOT NULL, -- a child
    pos    BIGINT NOT NULL, -- rising per peer; a position once given out is never used again
    origin TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    at_ms  BIGINT NOT NULL, -- wall clock: the age of what is unsent
    PRIMARY KEY (peer, pos)
) WITHOUT ROWID;
INSERT INTO outbox (peer, pos, origin, seq, at_ms) SELECT peer, pos, origin, seq, at_ms FROM outbox_4
    WHERE peer IN (SELECT peer FROM link WHERE role = 'child');
DROP TABLE outbox_4;
CREATE UNIQUE INDEX outbox_by_event ON outbox (origin, seq, peer);

DROP INDEX case_by_no;
DROP INDEX case_by_time;
DROP INDEX case_by_state;
DROP INDEX case_by_person;
DROP INDEX case_by_completion;
ALTER TABLE case_file RENAME TO case_file_4;
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
    PRIMARY KEY (case_no, street)
);
INSERT INTO case_file SELECT street, case_no, item, item_name, item_name_en, applicant_name, applicant_id, community,
    filed_at, custodian, custody_no, held, state, filed_ms, promised_ms, completed_ms, trips_saved FROM case_file_4;
DROP TABLE case_file_4;
CREATE INDEX case_by_time ON case_file (filed_ms, case_no);
CREATE INDEX case_by_state ON case_file (state, filed_ms, case_no);
CREATE INDEX case_by_person ON case_file (applicant_id, item);
CREATE INDEX case_by_completion ON case_file (completed_ms);

DROP INDEX case_document_by_digest;
DROP INDEX case_document_by_case;
ALTER TABLE case_document RENAME TO case_document_4;
CREATE TABLE case_document (
    street  TEXT NOT NULL,
    case_no TEXT NOT NULL,
    digest  TEXT NOT NULL,
    PRIMARY KEY (case_no, digest, street)
) WITHOUT ROWID;
INSERT INTO case_document SELECT street, case_no, digest FROM case_document_4;
DROP TABLE case_document_4;
CREATE INDEX case_document_by_digest ON case_document (digest);

DROP INDEX certificate_by_number;
ALTER TABLE certificate RENAME TO certificate_4;
CREATE TABLE certificate (
    street    TEXT NOT NULL,
    number    TEXT NOT NULL,
    case_no   TEXT NOT NULL,
    issuer    TEXT NOT NULL, -- site
    issued_ms BIGINT NOT NULL,
    state     TEXT NOT NULL, -- valid, revoked
    PRIMARY KEY (case_no, number, street)
) WITHOUT ROWID;
INSERT INTO certificate SELECT street, number, case_no, issuer, issued_ms, state FROM certificate_4;
DROP TABLE certificate_4;
CREATE INDEX certificate_by_number ON certificate (number);

DROP INDEX delivery_by_state;
DROP INDEX delivery_by_courier;
DROP INDEX delivery_by_id;
ALTER TABLE delivery RENAME TO delivery_4;
CREATE TABLE delivery (
    street   TEXT NOT NULL,
    id       TEXT NOT NULL, -- case number and "-1"
    case_no  TEXT NOT NULL,
    method   TEXT NOT NULL, -- agent courier pickup
    state    TEXT NOT NULL, -- ordered assigned picked_up in_transit handed_over failed returned
    courier  TEXT NOT NULL, -- username, or ''
    waybill  TEXT NOT NULL, -- UPU S10, or ''
    ordered_ms BIGINT NOT NULL,
    PRIMARY KEY (id, street)
) WITHOUT ROWID;
INSERT INTO delivery SELECT street, id, case_no, method, state, courier, waybill, ordered_ms FROM delivery_4;
DROP TABLE delivery_4;
CREATE INDEX delivery_by_state ON delivery (state, ordered_ms);
CREATE INDEX delivery_by_courier ON delivery (courier, state);
