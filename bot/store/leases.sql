-- part: freed
revision = revision + 1, next_step_at = :now, leased_until = 0, claim = '', wake_reason = 0,
    start_call = CASE WHEN start_call = 'calling' THEN 'interrupted' ELSE start_call END,
    stop_call = CASE WHEN stop_call = 'calling' THEN 'interrupted' ELSE stop_call END,
    busy_since = CASE WHEN start_call = 'calling' OR stop_call = 'calling' THEN NULL ELSE busy_since END

-- The operation that replaced another one looks for the result of the other one's call.
-- name: free_operations
UPDATE operations SET
    prior_call = CASE WHEN prior_call = 'calling' THEN 'interrupted' ELSE prior_call END, {freed}
WHERE COALESCE(outcome, 'replaced') = 'replaced'
    AND (leased_until > 0 OR start_call = 'calling' OR stop_call = 'calling' OR prior_call = 'calling');

-- name: free_runs
UPDATE runs SET {freed}
WHERE outcome IS NULL AND (leased_until > 0 OR start_call = 'calling' OR stop_call = 'calling');

-- A message may have been sent just before the process died, so Usher looks for it once it has had time to show up.
-- name: free_notices
UPDATE notices SET due_at = :settled WHERE state = 'leased' AND due_at > :settled;

-- name: free_cards
UPDATE cards SET leased_until = 0 WHERE leased_until > 0;

-- name: free_tasks
UPDATE tasks SET is_leased = 0, due_at = :now WHERE is_leased = 1;

-- name: free_installations
UPDATE installations SET renewing_until = 0 WHERE renewing_until > 0;

-- name: free_owners
DELETE FROM owners;

-- Scheduled work is claimed by moving the time of its next check. An extra check does no harm.
-- name: free_timers
UPDATE workspaces SET stop_check_at = :now WHERE stop_check_at > :now AND stop_check_at <= :now + :longest;

-- name: free_rules
UPDATE rules SET next_check_at = :now WHERE next_check_at > :now AND next_check_at <= :now + :longest;

-- name: free_lessons
UPDATE participants SET due_at = :now WHERE due_at > :now AND due_at <= :now + :longest;

-- name: free_upgrade_losses
UPDATE upgrade_losses SET due_at = :now WHERE due_at > :now AND due_at <= :now + :longest;
