-- ends: why and when a workspace is to be stopped, one for each reason, and the one that counts ('': none). The latter
-- is in the columns that begin with stop_, which are all that earlier releases read and write.
ALTER TABLE workspaces ADD COLUMN ends TEXT NOT NULL DEFAULT '';
