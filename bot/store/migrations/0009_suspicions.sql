-- A credential that was refused is suspected first. Neither time ever lies ahead of now; the length is in seconds.
ALTER TABLE accounts ADD COLUMN refused_since DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN looked_at DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN refused_for DOUBLE PRECISION NOT NULL DEFAULT 0;
CREATE INDEX accounts_suspected ON accounts (connection) WHERE refused_since IS NOT NULL;
