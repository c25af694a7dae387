-- name: deferred_commands_of_links
SELECT deferred_command FROM links
WHERE principal = :principal AND connection = :connection AND stage <> 'used' AND expires_at > :now
    AND deferred_command IS NOT NULL
ORDER BY created_at, nonce_hash;

-- name: expire_links
UPDATE links SET expires_at = :now, secret = NULL, code_hash = NULL, deferred_command = NULL
WHERE principal = :principal AND connection = :connection AND stage <> 'used' AND expires_at > :now;

-- name: empty_links
UPDATE links SET secret = NULL, code_hash = NULL, deferred_command = NULL
WHERE nonce_hash IN (
    SELECT nonce_hash FROM links
    WHERE expires_at <= :now AND (secret IS NOT NULL OR code_hash IS NOT NULL OR deferred_command IS NOT NULL)
    ORDER BY expires_at LIMIT :limit
);

-- name: open_link_of
SELECT * FROM links WHERE principal = :principal AND stage = :stage AND expires_at > :now
    AND (:connection = '' OR connection = :connection)
ORDER BY created_at DESC, nonce_hash LIMIT 1;
