-- What runs by itself finds by these what it needs, however many people there are: whose list is to be read again, the
-- oldest first; who is refused, and since when; which secrets are to be revoked; what was used lately; and what ended
-- links still hold.
CREATE INDEX accounts_by_list_age ON accounts (connection, (COALESCE(discovered_at, 0.0))) WHERE state = 'active';
DROP INDEX accounts_suspected;
CREATE INDEX accounts_refused ON accounts (connection, id) WHERE refused_since IS NOT NULL;
CREATE INDEX accounts_refused_lately ON accounts (connection, refused_since) WHERE refused_since IS NOT NULL;
CREATE INDEX accounts_to_revoke ON accounts (unlinked_at, id) WHERE state = 'revoking';
CREATE INDEX workspaces_used ON workspaces (used_at, id) WHERE used_at IS NOT NULL;
CREATE INDEX links_to_empty ON links (expires_at)
    WHERE secret IS NOT NULL OR code_hash IS NOT NULL OR waiting IS NOT NULL;
-- What the metrics count.
CREATE INDEX accounts_counted ON accounts (id) WHERE state <> 'revoking';
CREATE INDEX workspaces_counted ON workspaces (id) WHERE hidden = 0;
CREATE INDEX people_counted ON people (principal) WHERE is_deleted = 0;
