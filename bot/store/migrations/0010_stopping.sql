-- Whether a workspace is kept when it is stopped, where its provider tells that of each.
ALTER TABLE workspaces ADD COLUMN is_kept BIGINT;

-- Whether the person agreed that the workspace ends for good. What was asked for before was asked with a question.
ALTER TABLE wishes ADD COLUMN agreed BIGINT NOT NULL DEFAULT 0;
UPDATE wishes SET agreed = 1 WHERE outcome IS NULL AND verb IN ('stop', 'force');
