-- Smaller and fewer keys: most of what a catch-up writes were the pages of indexes, and most of those that of persons,
-- whose entries come in no order.

-- Sorted within equal keys where somebody asks for it: that is always little.
DROP INDEX event_by_case;
CREATE INDEX event_by_case ON event (case_no, hlc);

DROP INDEX case_by_time;
DROP INDEX case_by_state;
DROP INDEX case_by_person;
DROP INDEX case_by_completion; -- nobody asked by it
ALTER TABLE case_file ADD COLUMN person BIGINT NOT NULL DEFAULT 0; -- the week of filing (filed_ms / 604800000) * 10^11 +
                               -- digits 7 to 17 of applicant_id (birth date and sequence; 0: no digit there). Who looks for
                               -- a person looks into weeks: what is written today stands together.
ALTER TABLE case_file ADD COLUMN certificate TEXT NOT NULL DEFAULT ''; -- number of its result, or ''
UPDATE case_file SET
    person = filed_ms / 604800000 * 100000000000 +
        CASE WHEN substr(applicant_id, 7, 11) GLOB '[0-9]*' THEN CAST(substr(applicant_id, 7, 11) AS BIGINT) ELSE 0 END,
    certificate = coalesce((SELECT number FROM certificate c WHERE c.case_no = case_file.case_no), '');
CREATE INDEX case_by_time ON case_file (filed_ms);
CREATE INDEX case_by_state ON case_file (state, filed_ms);
CREATE INDEX case_by_person ON case_file (person);

-- One tree instead of two: a case knows its number.
DROP INDEX certificate_by_number;
ALTER TABLE certificate RENAME TO certificate_5;
CREATE TABLE certificate (
    street    TEXT NOT NULL,
    number    TEXT NOT NULL,
    case_no   TEXT NOT NULL,
    issuer    TEXT NOT NULL, -- site
    issued_ms BIGINT NOT NULL,
    state     TEXT NOT NULL, -- valid, revoked
    PRIMARY KEY (number, case_no, street)
) WITHOUT ROWID;
INSERT INTO certificate SELECT street, number, case_no, issuer, issued_ms, state FROM certificate_5;
DROP TABLE certificate_5;

-- A courier's list; what nobody carries is in no courier's.
DROP INDEX delivery_by_courier;
CREATE INDEX delivery_by_courier ON delivery (courier, ordered_ms) WHERE courier <> '';
