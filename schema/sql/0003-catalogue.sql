-- The catalogue: projections of item.published and calendar.published.

-- The newest version of every item; a case keeps what it needs of the version it was filed under.
CREATE TABLE item (
    code    TEXT   PRIMARY KEY, -- "birth-registration-first"
    version BIGINT NOT NULL, -- as the district counts them
    hlc     BIGINT NOT NULL, -- of the event that says so; the newest wins
    state   TEXT   NOT NULL, -- published, suspended, withdrawn
    name    TEXT   NOT NULL, -- Chinese
    body    TEXT   NOT NULL  -- the whole item, canonical JSON
);

-- Who may decide an item, of every version that was published: what a filing under an older one says of itself is
-- held against it.
CREATE TABLE item_tiers (
    code       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    hlc        BIGINT NOT NULL, -- of the event that says so; the newest wins
    decided_at TEXT   NOT NULL, -- tiers: " community street "
    PRIMARY KEY (code, version)
);

-- Days off and make-up days, one row per year.
CREATE TABLE calendar_year (
    year BIGINT PRIMARY KEY,
    hlc  BIGINT NOT NULL, -- of the event that says so; the newest wins
    body TEXT   NOT NULL  -- canonical JSON
);
