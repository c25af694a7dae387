-- lacks: what a running workspace lacks before people can use it (NULL: nothing that is known); lacks_since: when a
-- read first found it running without that.
ALTER TABLE workspaces ADD COLUMN lacks TEXT;
ALTER TABLE workspaces ADD COLUMN lacks_since DOUBLE PRECISION;
