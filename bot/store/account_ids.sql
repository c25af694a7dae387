-- name: resting_accounts
SELECT * FROM accounts WHERE connection = :connection AND resting_since >= :since AND state <> 'revoking'
ORDER BY resting_since, id;

-- name: resting_connections
SELECT connection FROM accounts WHERE principal = :principal AND resting_since IS NOT NULL AND state <> 'revoking';

-- name: links_by_name
SELECT id FROM accounts
WHERE connection = :connection AND state = 'active' AND link_source IN ('approval', 'import')
ORDER BY COALESCE(discovered_at, 0.0) DESC LIMIT :limit;

-- name: count_resting
SELECT connection, COUNT(*) AS count FROM accounts WHERE resting_since IS NOT NULL AND state <> 'revoking'
GROUP BY connection ORDER BY connection;

-- name: holder_of_remote_id
SELECT * FROM accounts
WHERE connection = :connection AND remote_id = :remote_id AND remote_id <> '' AND state <> 'revoking'
    AND principal <> :principal LIMIT 1;

-- name: approved_email
SELECT * FROM approvals
WHERE principal = :principal AND connection = :connection AND username = :username AND state = 'linked'
ORDER BY requested_at DESC LIMIT 1;
