-- name: members_behind
SELECT * FROM rules
WHERE card = :card AND (follows <> :state OR heard <> :state OR lead_seconds <> :lead_seconds OR :is_over = 1)
ORDER BY id LIMIT :limit;
