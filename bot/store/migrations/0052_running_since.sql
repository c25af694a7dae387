-- When a read or a list first found a workspace running, this time; NULL while it doesn't run.
ALTER TABLE workspaces ADD COLUMN running_since DOUBLE PRECISION;
UPDATE workspaces SET running_since = COALESCE(started_at, observed_at) WHERE state = 'running';
-- A stop that is far ahead is no reason not to ask.
DROP INDEX workspaces_left;
CREATE INDEX workspaces_left ON workspaces (left_look_at) WHERE state = 'running' AND hidden = 0;
