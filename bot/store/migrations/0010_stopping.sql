-- Whether a workspace is kept when it is stopped, where its provider tells that of each.
ALTER TABLE workspaces ADD COLUMN is_kept BIGINT;

-- Whether the person agreed that the workspace ends for good. Nobody was asked that before: only what has been sent
-- counts as agreed, as nothing can be asked about it any more.
ALTER TABLE operations ADD COLUMN agreed BIGINT NOT NULL DEFAULT 0;
UPDATE operations SET agreed = 1 WHERE outcome IS NULL AND verb IN ('stop', 'force') AND stop_call <> 'none';
