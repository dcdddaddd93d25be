-- Cases: projections of the dossiers whose id is a case number.

-- One row per case: what lists, rights and figures need. Everything else of a case is folded from its
-- events when somebody opens it.
CREATE TABLE case_file (
    street       TEXT NOT NULL,
    case_no      TEXT NOT NULL, -- 21 digits
    item         TEXT NOT NULL, -- its code in the catalogue
    item_name    TEXT NOT NULL, -- as it was called when the case was filed, Chinese and English
    item_name_en TEXT NOT NULL,
    applicant_name TEXT NOT NULL, -- '': forgotten
    applicant_id TEXT NOT NULL, -- identity number, or ''
    community    TEXT NOT NULL, -- where the applicant lives, or ''
    filed_at     TEXT NOT NULL, -- the site that took it
    custodian    TEXT NOT NULL, -- the site that may decide it
    custody_no   BIGINT NOT NULL, -- of this custody: 1, 2, 3 ...
    held         TEXT NOT NULL, -- every site that ever was custodian: " 331002003901 331002003000 "
    state        TEXT NOT NULL, -- dossiers/case/state.h draws them
    filed_ms     BIGINT NOT NULL,
    promised_ms  BIGINT NOT NULL, -- 0: no promise
    completed_ms BIGINT NOT NULL, -- 0: not yet
    trips_saved  BIGINT NOT NULL, -- visits that the applicant did not have to make
    person       BIGINT NOT NULL DEFAULT 0, -- the week of filing (filed_ms / 604800000) * 10^11 + digits 7 to 17 of
                                  -- applicant_id (birth date and sequence; 0: no digit there). Who looks for a person
                                  -- looks into weeks: what is written today stands together.
    certificates TEXT NOT NULL DEFAULT '', -- numbers of its results, also of those that do not stand: " N1 N2 "
    PRIMARY KEY (case_no, street)
);
CREATE INDEX case_by_time ON case_file (filed_ms);
CREATE INDEX case_by_state ON case_file (state, filed_ms);
CREATE INDEX case_by_person ON case_file (person);

-- Results that were issued.
CREATE TABLE certificate (
    street    TEXT NOT NULL,
    number    TEXT NOT NULL,
    case_no   TEXT NOT NULL, -- whose result it is
    issuer    TEXT NOT NULL, -- site
    issued_ms BIGINT NOT NULL,
    state     TEXT NOT NULL, -- valid, revoked, overruled (by a later custodian)
    PRIMARY KEY (number, case_no, street)
) WITHOUT ROWID;

-- One row per delivery of a result.
CREATE TABLE delivery (
    street   TEXT NOT NULL,
    id       TEXT NOT NULL, -- case number and "-1"
    case_no  TEXT NOT NULL, -- whose result is brought
    method   TEXT NOT NULL, -- agent courier pickup
    state    TEXT NOT NULL, -- ordered assigned picked_up in_transit handed_over failed returned
    courier  TEXT NOT NULL, -- username, or ''
    waybill  TEXT NOT NULL, -- UPU S10, or ''
    ordered_ms BIGINT NOT NULL,
    PRIMARY KEY (id, street)
) WITHOUT ROWID;
CREATE INDEX delivery_by_state ON delivery (state, ordered_ms);
-- A courier's list; what nobody carries is in no courier's.
CREATE INDEX delivery_by_courier ON delivery (courier, ordered_ms) WHERE courier <> '';
