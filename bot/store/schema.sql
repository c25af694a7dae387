-- name: migrated
SELECT name, applied_at FROM migrations ORDER BY name;

-- name: schema_changes
SELECT name, oldest FROM schema_changes ORDER BY name;

-- The wall clock has jumped ahead by :jump. Leases are extended by as much, so that nobody takes over work in progress.
-- name: move_leases
UPDATE {work_items} SET revision = revision + 1, next_step_at = next_step_at + :jump, leased_until = leased_until + :jump
WHERE outcome IS NULL AND leased_until > :before;

-- Like ``move_leases``, for the leases of notices.
-- name: move_sends
UPDATE notices SET due_at = due_at + :jump WHERE state = 'leased' AND due_at > :before;

-- A gate claimed in the future, or an unknown time ago, stays closed for its whole interval from now.
-- name: heal_gates
UPDATE gates SET
    next_check_at = :now + CASE
        WHEN next_check_at - claimed_at > :longest THEN :longest ELSE next_check_at - claimed_at END,
    claimed_at = :now
WHERE claimed_at > :now OR (:is_unknown = 1 AND claimed_at > 0);

-- A message that may have been sent gets its full time to show up.
-- name: heal_sends
UPDATE notices SET due_at = :settled
WHERE (state = 'leased' OR (state = 'retry' AND unknown_since IS NOT NULL)) AND due_at < :settled;
