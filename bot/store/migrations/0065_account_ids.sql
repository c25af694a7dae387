-- Accounts: their id at the provider (NULL: not known yet, "": it gives none), how and when it was learnt, when it was
-- last compared; since when the link rests, as its name is another account there, and that account's id.
ALTER TABLE accounts ADD COLUMN remote_id TEXT;
ALTER TABLE accounts ADD COLUMN remote_id_source TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN remote_id_at DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN compared_at DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN resting_since DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN other_id TEXT;
-- Links in progress: the id of the account whose credential was checked. Requests: the id that the username had.
ALTER TABLE links ADD COLUMN remote_id TEXT;
ALTER TABLE approvals ADD COLUMN remote_id TEXT;
-- The name of a link that rests is another account's, which somebody else may link.
DROP INDEX accounts_one_of_a_username;
CREATE UNIQUE INDEX accounts_one_of_a_username ON accounts (connection, username)
    WHERE state <> 'revoking' AND username <> '' AND resting_since IS NULL;
CREATE INDEX accounts_of_a_username ON accounts (connection, username) WHERE state <> 'revoking' AND username <> '';
CREATE INDEX accounts_of_a_remote_id ON accounts (connection, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX accounts_resting ON accounts (connection, resting_since) WHERE resting_since IS NOT NULL;
CREATE INDEX accounts_resting_of_person ON accounts (principal, connection) WHERE resting_since IS NOT NULL;
