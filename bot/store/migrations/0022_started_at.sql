-- started_at: since when it has been up this time, as its provider says (NULL: it doesn't).
ALTER TABLE workspaces ADD COLUMN started_at DOUBLE PRECISION;
