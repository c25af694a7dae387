-- Whose a workspace is, if it is shared with this row's person.
ALTER TABLE workspaces ADD COLUMN owner TEXT;
