-- name: installations
SELECT * FROM installations WHERE removed_at IS NULL ORDER BY id;

-- name: accounts_at
SELECT principal, link_source FROM accounts WHERE principal LIKE :place AND state <> 'revoking'
ORDER BY CASE WHEN link_source = '' THEN 0 ELSE 1 END, linked_at, id;

-- name: teams_of_enterprise
SELECT id FROM installations WHERE organisation_id = :enterprise_id AND team_id IS NOT NULL AND removed_at IS NULL
ORDER BY id LIMIT 1;

-- name: claim_renewal
UPDATE installations SET renewing_until = :until
WHERE id = :id AND secret = :secret AND renewing_until <= :now AND removed_at IS NULL;

-- name: reseal_installation
UPDATE installations SET secret = :secret
WHERE id = :id AND secret = :old AND renewing_until <= :now AND removed_at IS NULL;

-- name: forget_oauth_states
DELETE FROM oauth_states WHERE state_hash IN (
    SELECT state_hash FROM oauth_states WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
);
