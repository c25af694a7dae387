-- What has a kind that is no more: what was held for quiet hours is told as a summary, the output of a run by its card,
-- and what 0.1.0 was to revoke is owed like any other secret.
UPDATE notices SET kind = 'summary' WHERE kind = 'held' AND state IN ('pending', 'retry', 'leased');
UPDATE notices SET state = 'dead', error = 'superseded', body = '{}'
WHERE kind = 'job_output' AND state IN ('pending', 'retry', 'leased');
UPDATE notices SET held_until = NULL WHERE held_until IS NOT NULL;
DELETE FROM tasks WHERE kind = 'revoke' AND EXISTS (
    SELECT 1 FROM later_tasks l WHERE l.kind = 'revocation' AND l.subject = tasks.subject
);
UPDATE tasks SET kind = 'revoke_secret' WHERE kind = 'revoke';
