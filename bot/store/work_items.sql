-- name: keep_waiting
UPDATE {work_items} SET deadline_at = :deadline_at, deadline_number = deadline_number + 1, {at_once}
WHERE id = :id AND outcome IS NULL
RETURNING *;

-- The answer to the question whether to try again. It counts only once, and not if a result has been found in the
-- meantime.
-- name: repeat
UPDATE {work_items} SET
    start_call = 'none', question_since = NULL, unknown_since = NULL, attempts = 0, {changes},
    {at_once}
WHERE id = :id AND outcome IS NULL AND question_since IS NOT NULL AND start_call IN ('unknown', 'interrupted')
RETURNING *;

-- name: resume
UPDATE {work_items} SET {changes}, {at_once} WHERE id = :id AND outcome IS NULL;

-- :is_beside is 1 if something other than the step that holds the lease writes this. The step then keeps its lease.
-- name: save
UPDATE {work_items} SET
    revision = revision + 1,
    next_step_at = CASE
        WHEN :is_beside = 1 THEN next_step_at
        WHEN :keeps_lease = 1 THEN :next_step_at
        WHEN wake_reason >= 3 OR (wake_reason = 2 AND :waits <> 'time') OR (wake_reason = 1 AND :waits = 'read') THEN :now
        ELSE :next_step_at END,
    leased_until = CASE
        WHEN :is_beside = 1 THEN leased_until
        WHEN :keeps_lease = 1 THEN :next_step_at
        ELSE 0 END,
    claim = CASE WHEN :is_beside = 1 OR :keeps_lease = 1 THEN claim ELSE '' END,
    wake_reason = CASE
        WHEN :is_beside = 1 AND wake_reason < 3 THEN 3
        WHEN :is_beside = 1 OR :keeps_lease = 1 THEN wake_reason
        ELSE 0 END,
    {changes}
WHERE id = :id{same}
RETURNING *;
