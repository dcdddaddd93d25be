-- Tickets: projections of the dossiers whose ids begin with q.

-- One row per ticket. Where somebody stands in his queue is in no column: it is counted.
CREATE TABLE ticket (
    street     TEXT   NOT NULL,
    id         TEXT   NOT NULL, -- q, street (9), yymmdd, letter of the queue, number (3)
    hall       TEXT   NOT NULL, -- the site that calls
    issued_at  TEXT   NOT NULL, -- the site where the number was taken
    queue      TEXT   NOT NULL, -- in which it waits now: a letter, not always that of its number
    class      TEXT   NOT NULL, -- priority, booked, normal
    rank       BIGINT NOT NULL, -- of the class: lower is called before higher
    item       TEXT   NOT NULL, -- code in the catalogue, or ''
    day        TEXT   NOT NULL, -- yymmdd on which it holds; '': on none
    state      TEXT   NOT NULL, -- dossiers/ticket/state.h draws them
    place      BIGINT NOT NULL, -- it waits as if it had come at this moment (Unix ms); 0: no place yet
    given      BIGINT NOT NULL, -- hlc of the event that gave the place: of equal places the later waits behind
    called_to  TEXT   NOT NULL, -- the window that has it; ''
    kept_for   TEXT   NOT NULL, -- the window that alone may call it; ''
    calls      BIGINT NOT NULL, -- in a row
    issued_ms  BIGINT NOT NULL,
    called_ms  BIGINT NOT NULL, -- 0: not yet; likewise the next two
    serving_ms BIGINT NOT NULL,
    finished_ms BIGINT NOT NULL,
    PRIMARY KEY (id, street)
) WITHOUT ROWID;
-- Who is next, who is before, how many wait.
CREATE INDEX ticket_by_queue ON ticket (hall, queue, state, rank, place, given);
-- How long a service takes.
CREATE INDEX ticket_by_end ON ticket (hall, queue, finished_ms);
-- What a window has in hand.
CREATE INDEX ticket_by_window ON ticket (hall, called_to) WHERE called_to <> '';
-- The lists of a day.
CREATE INDEX ticket_by_day ON ticket (day);
