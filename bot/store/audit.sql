-- The head is written before it is read: that locks it, so two writers can't append the same seq.
-- name: lengthen_audit
UPDATE audit_head SET count = count + :more WHERE id = 1 RETURNING count, hash;

-- name: end_audit
UPDATE audit_head SET hash = :hash WHERE id = 1;

-- name: audit_head
SELECT count, hash FROM audit_head WHERE id = 1;

-- name: audit_entries
SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit;
