-- name: members_behind
SELECT * FROM rules
WHERE card = :card AND (
    applied_state <> :state OR notified_state <> :state OR lead_seconds <> :lead_seconds OR :is_over = 1)
ORDER BY id LIMIT :limit;
