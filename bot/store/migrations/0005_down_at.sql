-- oldest release that may serve: 0.1.0

-- down_at: since when a workspace has been down, as its provider says (NULL: it doesn't say, or the workspace is up).
ALTER TABLE workspaces ADD COLUMN down_at DOUBLE PRECISION;
