-- What several processes have to agree on, so that none of them decides it by what it remembers.

-- What a message shows, as a digest with the time of its last update; '' if nobody knows. A claim moves it aside: if
-- the update's outcome stays unknown, nobody knows.
ALTER TABLE cards ADD COLUMN drawn TEXT NOT NULL DEFAULT '';
ALTER TABLE cards ADD COLUMN claimed_drawn TEXT NOT NULL DEFAULT '';

-- A newer task has been asked for since, about the same: this one is never sent any more.
ALTER TABLE tasks ADD COLUMN is_replaced INTEGER NOT NULL DEFAULT 0;

-- When an account's runs were last read by whoever was allowed to.
ALTER TABLE accounts ADD COLUMN runs_read_at DOUBLE PRECISION;

-- Pauses that a provider asked for: of an account, or of everybody (who = ''). calls: 'any', or 'start' for those that
-- start something. noted_at: when it asked last.
CREATE TABLE pauses (
    connection TEXT NOT NULL,
    calls TEXT NOT NULL,
    who TEXT NOT NULL,
    noted_at DOUBLE PRECISION NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, calls, who)
);
