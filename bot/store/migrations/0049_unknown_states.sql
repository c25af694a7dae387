-- When the latest read of a workspace found a state that isn't known; NULL if it found a known one.
ALTER TABLE workspaces ADD COLUMN unknown_at DOUBLE PRECISION;
