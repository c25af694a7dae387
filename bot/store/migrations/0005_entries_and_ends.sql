-- What opens a workspace in a page of ours (sealed), and what its provider told last by itself (a sentence).
ALTER TABLE workspaces ADD COLUMN entry TEXT;
ALTER TABLE workspaces ADD COLUMN remark TEXT;
CREATE INDEX workspaces_ending ON workspaces (ends_at) WHERE ends_at IS NOT NULL AND hidden = 0;

-- Creations by when they were called: where a provider carries no mark of ours, what it made may be any of theirs.
CREATE INDEX operations_creating ON operations (connection, called_at) WHERE verb = 'create' AND called_at IS NOT NULL;
