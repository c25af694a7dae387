-- The head is written before it is read: that locks it, so two writers can't append the same seq.
-- name: lengthen_audit
UPDATE audit_head SET count = count + :more WHERE id = 1 RETURNING count, hash;

-- name: end_audit
UPDATE audit_head SET hash = :hash WHERE id = 1;

-- name: audit_head
SELECT count, hash FROM audit_head WHERE id = 1;

-- name: audit_entries
SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit;

-- name: used_database
SELECT 1 AS used WHERE EXISTS (SELECT 1 FROM accounts)
    OR EXISTS (
        SELECT 1 FROM (SELECT actor FROM audit ORDER BY seq LIMIT 200) AS oldest WHERE oldest.actor <> 'usher'
    )
    OR EXISTS (SELECT 1 FROM audit WHERE seq > 200);
