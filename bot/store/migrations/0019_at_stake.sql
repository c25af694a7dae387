-- at_stake: what a stop would interrupt or lose, in words (NULL: its provider doesn't say); last_used_at: when it was last used there.
ALTER TABLE workspaces ADD COLUMN at_stake TEXT;
ALTER TABLE workspaces ADD COLUMN last_used_at DOUBLE PRECISION;
