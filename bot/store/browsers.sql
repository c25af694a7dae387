-- name: browser_session
SELECT id_hash, principal, created_at, seen_at, expires_at FROM browser_sessions
WHERE id_hash = :id_hash AND expires_at > :now AND seen_at > :unused_since;

-- name: end_browser_sessions_of
DELETE FROM browser_sessions WHERE user_id = :user_id AND principal LIKE :ending;

-- name: end_browser_sessions_at
DELETE FROM browser_sessions WHERE id_hash IN (
    SELECT id_hash FROM browser_sessions WHERE principal LIKE :within LIMIT :limit
);
