-- Where Usher is or was installed: the enterprise in the keys of everybody there (NULL: none), as it was when the
-- installation was first seen. Written once; what Slack says of a Slack workspace later changes no key.
CREATE TABLE places (
    id TEXT PRIMARY KEY,
    enterprise_id TEXT,
    seen_at DOUBLE PRECISION NOT NULL
);
INSERT INTO places (id, enterprise_id, seen_at) SELECT id, enterprise_id, installed_at FROM installations;
-- organisation_id: the enterprise of which a Slack workspace was when Usher was last installed there.
ALTER TABLE installations ADD COLUMN organisation_id TEXT;
UPDATE installations SET organisation_id = enterprise_id;
DROP INDEX installations_of_an_enterprise;
CREATE INDEX installations_of_an_organisation ON installations (organisation_id);
-- Whether somebody had a link under another key.
CREATE INDEX accounts_of_a_connection ON accounts (connection);
CREATE INDEX people_of_an_email ON people (email) WHERE email IS NOT NULL;
CREATE INDEX audit_of_unlinked ON audit (target) WHERE action = 'account.unlinked';
