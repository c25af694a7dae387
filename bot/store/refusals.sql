-- name: held_accounts
SELECT * FROM accounts WHERE refused_since IS NOT NULL AND state = 'active' ORDER BY connection, id;

-- name: refused_since
SELECT COUNT(*) AS count FROM accounts
WHERE connection = :connection AND refused_since >= :since AND state = 'active' AND renamed_to IS NULL
    AND (expires_at IS NULL OR expires_at > :now);
