-- oldest release that may serve: 0.1.0

-- gone_at: when its provider first said that it's gone; gone_again_at: when it said so a day or more later. Such a
-- workspace is read daily until it is swept, also those of before.
ALTER TABLE workspaces ADD COLUMN gone_at DOUBLE PRECISION;
ALTER TABLE workspaces ADD COLUMN gone_again_at DOUBLE PRECISION;
CREATE INDEX workspaces_gone ON workspaces (gone_again_at) WHERE gone_again_at IS NOT NULL;
CREATE INDEX participants_of_workspace ON participants (workspace_id) WHERE workspace_id IS NOT NULL;
UPDATE gates SET due_at = next_check_at
WHERE due_at IS NULL AND gate_key IN (SELECT gate_key FROM workspaces WHERE state = 'gone' AND hidden = 0);
