-- Whether a person wants to be told when the workspace stops without their having asked for it.
ALTER TABLE workspaces ADD COLUMN tells_stop BIGINT NOT NULL DEFAULT 0;
