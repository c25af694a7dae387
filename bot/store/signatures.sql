-- name: signatures_since
SELECT seen_at, signatures FROM signatures WHERE seen_at > :since ORDER BY seen_at;

-- name: forget_signatures
DELETE FROM signatures WHERE id IN (
    SELECT id FROM signatures WHERE seen_at <= :before ORDER BY seen_at LIMIT :limit
);
