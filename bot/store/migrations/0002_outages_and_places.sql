-- A connection that does not answer, and since when: one outage is told once, also across restarts.
CREATE TABLE outages (
    connection TEXT PRIMARY KEY,
    since DOUBLE PRECISION NOT NULL
);

-- Where an operation was typed: there its person is told when no direct message reaches them.
ALTER TABLE operations ADD COLUMN channel_id TEXT;
