-- What people want to hear by direct message, when, and what they usually mean. Without a row everything is as it is
-- at first. quiet_from, quiet_to: minutes since midnight, in the zone that Slack has for the person.
CREATE TABLE preferences (
    principal TEXT PRIMARY KEY,
    ready BIGINT NOT NULL,
    stopped BIGINT NOT NULL,
    run_ended BIGINT NOT NULL,
    quiet_from BIGINT,
    quiet_to BIGINT,
    workspace_id TEXT NOT NULL,
    connection TEXT NOT NULL,
    template TEXT NOT NULL
);

-- The same for one workspace; NULL: as for all of them.
ALTER TABLE workspaces ADD COLUMN tells_ready BIGINT;
ALTER TABLE workspaces ADD COLUMN tells_stopped BIGINT;
UPDATE workspaces SET tells_stopped = 1 WHERE tells_stop = 1;
ALTER TABLE workspaces DROP COLUMN tells_stop;

-- held_by: the notice that tells this one, together with others, at the end of its person's quiet hours.
-- held_until: nothing is sent before that.
ALTER TABLE notices ADD COLUMN held_until DOUBLE PRECISION;
ALTER TABLE notices ADD COLUMN held_by TEXT;
CREATE INDEX notices_held_by ON notices (held_by) WHERE held_by IS NOT NULL;
CREATE INDEX notices_holding ON notices (principal) WHERE kind = 'held' AND state = 'pending';
