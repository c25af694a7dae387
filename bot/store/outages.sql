-- name: outages
SELECT connection, since FROM outages;

-- A silence lasts until there is an answer that came after it began.
-- name: silent
INSERT INTO reached (name, answered_at, silent_since) VALUES (:name, :answered_at, :since)
ON CONFLICT (name) DO UPDATE SET silent_since = CASE
    WHEN reached.silent_since > COALESCE(excluded.answered_at, 0) THEN reached.silent_since
    ELSE excluded.silent_since END
RETURNING silent_since;

-- name: answered
INSERT INTO reached (name, answered_at) VALUES (:name, :at)
ON CONFLICT (name) DO UPDATE SET answered_at = excluded.answered_at
RETURNING silent_since;

-- name: silence_over
UPDATE reached SET silent_since = NULL WHERE name = :name AND silent_since <= :at;

-- name: reached
SELECT * FROM reached;
