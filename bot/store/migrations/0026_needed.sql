-- asks_after: after how many hours a person is asked whether a workspace that runs on is still needed; NULL: they don't
-- want to be. left_look_at: when a workspace is looked at next for that.
ALTER TABLE preferences ADD COLUMN asks_after BIGINT;
CREATE INDEX preferences_asking ON preferences (asks_after) WHERE asks_after IS NOT NULL;
ALTER TABLE workspaces ADD COLUMN left_look_at DOUBLE PRECISION NOT NULL DEFAULT 0;
CREATE INDEX workspaces_left ON workspaces (left_look_at)
    WHERE state = 'running' AND stop_at IS NULL AND ends_at IS NULL AND hidden = 0;
