-- oldest release that may serve: 0.1.0

-- folded: the name as names are compared, and folded_from, which name that was made from: 0.1.0 writes names alone. Those
-- rows, and the few that their person has named, are compared one by one.
ALTER TABLE workspaces ADD COLUMN folded TEXT NOT NULL DEFAULT '';
ALTER TABLE workspaces ADD COLUMN folded_from TEXT NOT NULL DEFAULT '';
CREATE INDEX workspaces_of_a_name ON workspaces (principal, folded);
CREATE INDEX workspaces_of_an_id ON workspaces (principal, remote_id);
CREATE INDEX workspaces_compared ON workspaces (principal) WHERE alias IS NOT NULL OR folded_from <> name;
