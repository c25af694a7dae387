-- The row with seq 0 is the head: its detail is the number of entries, and its hash is that of the last entry. It is
-- locked before it is read, so two writers can't append the same seq. If an entry with that seq already exists, detail
-- becomes NULL, which the table refuses.
-- name: append_audit
INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash)
WITH entry AS (
    SELECT CAST(detail AS BIGINT) + 1 AS seq, hash AS previous_hash, /* postgresql: encode( */
        sha256(/* postgresql: convert_to( */
            '[' || (CAST(detail AS BIGINT) + 1) || ',' || :content || ',"' || hash || '"]'
        /* postgresql: , 'UTF8') */) /* postgresql: , 'hex') */ AS hash
    FROM audit WHERE seq = 0 /* postgresql: FOR UPDATE */
)
SELECT seq, CAST(:at AS DOUBLE PRECISION), :actor, :action, :target, :result, :detail, previous_hash, hash FROM entry
UNION ALL
SELECT 0, CAST(:at AS DOUBLE PRECISION), '', '', '', '', CAST(seq AS TEXT), '', hash FROM entry WHERE seq > 0
ON CONFLICT (seq) DO UPDATE SET
    at = excluded.at, detail = CASE WHEN audit.seq = 0 THEN excluded.detail END, hash = excluded.hash;

-- name: audit_head
SELECT CAST(detail AS BIGINT) AS count, hash FROM audit WHERE seq = 0;

-- name: audit_entries
SELECT * FROM audit WHERE seq > :after AND seq > 0 ORDER BY seq LIMIT :limit;

-- name: used_database
SELECT 1 AS used WHERE EXISTS (SELECT 1 FROM accounts)
    OR EXISTS (
        SELECT 1 FROM (SELECT actor FROM audit WHERE seq > 0 ORDER BY seq LIMIT 200) AS oldest WHERE oldest.actor <> 'usher'
    )
    OR EXISTS (SELECT 1 FROM audit WHERE seq > 200);
