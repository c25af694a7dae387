-- name: pending_revocations
SELECT * FROM accounts WHERE state = 'revoking' ORDER BY unlinked_at, id;
