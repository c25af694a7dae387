-- oldest release that may serve: 0.1.0

-- reason: what holds a workspace up or made it fail, in its provider's words, kept until it is up or started again
-- (NULL: nothing that its provider has told).
ALTER TABLE workspaces ADD COLUMN reason TEXT;
