-- Who waits for room: one row per person and workspace. The place in line isn't stored: it is how many rows of the
-- same connection and kind of room come before, by seq. until: a moment that its person named. state: waiting, trying
-- (operation_id is the start), got (since got_at, until it is used), over. A workspace's rows go with it.
CREATE TABLE waits (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL,
    joined_at DOUBLE PRECISION NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    tried_at DOUBLE PRECISION,
    next_at DOUBLE PRECISION NOT NULL,
    operation_id TEXT,
    got_at DOUBLE PRECISION,
    mode TEXT NOT NULL DEFAULT '',
    ended_at DOUBLE PRECISION
);
-- Nobody waits twice for one thing, and no attempt is made beside another.
CREATE UNIQUE INDEX waits_open ON waits (workspace_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX waits_one_attempt ON waits (connection, kind) WHERE state = 'trying';
CREATE INDEX waits_due ON waits (next_at, id) WHERE ended_at IS NULL;
CREATE INDEX waits_in_line ON waits (connection, kind, seq);
CREATE INDEX waits_of_workspace ON waits (workspace_id);
CREATE INDEX waits_of_person ON waits (principal) WHERE ended_at IS NULL;
CREATE INDEX waits_by_seq ON waits (seq);
CREATE INDEX waits_over ON waits (ended_at) WHERE ended_at IS NOT NULL;
-- Whether the starts of hours wait for room until they end.
ALTER TABLE rules ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
-- Since when starts fail in a row.
CREATE INDEX operations_fulfilled ON operations (connection, ended_at)
    WHERE outcome = 'fulfilled' AND start_call = 'accepted';
