-- A connection that does not answer, and since when: one outage is told once, also across restarts.
CREATE TABLE outages (
    connection TEXT PRIMARY KEY,
    since DOUBLE PRECISION NOT NULL
);

-- Where a wish was typed: there its person is told when no direct message reaches them.
ALTER TABLE wishes ADD COLUMN channel_id TEXT;
