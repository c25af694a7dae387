-- Whether a person wants to be told when the workspace stops without their having asked for it.
ALTER TABLE workspaces ADD COLUMN tells_stop BIGINT NOT NULL DEFAULT 0;

-- Operations that failed, by when: the doctor counts those whose right was refused.
CREATE INDEX operations_failed ON operations (connection, ended_at) WHERE outcome = 'failed';
