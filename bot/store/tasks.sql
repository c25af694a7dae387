-- Only the process that has begun to read everybody goes on with it.
-- part: people_here
NOT (kind = 'sync_people' AND EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'people' AND o.owner <> :owner AND o.until > :now
))

-- Written before the tasks about the same are: on any engine, two that come at once come one after the other.
-- name: have_turn
UPDATE accounts SET state = state WHERE id = :account_id;

-- Their subject begins with :about and a slash, the character before 0.
-- name: replace_tasks
UPDATE tasks SET is_replaced = 1
WHERE kind = :kind AND subject >= :about || '/' AND subject < :about || '0' AND id <> :id;

-- name: task_under_way
SELECT id FROM tasks
WHERE kind = :kind AND subject >= :about || '/' AND subject < :about || '0' AND id <> :id
    AND is_leased = 1 AND due_at > :now
LIMIT 1;

-- name: reads_of_account
SELECT * FROM tasks
WHERE kind IN ('discover', 'list_runs', 'snapshot')
    AND subject >= :account_id AND subject < :account_id || '0'
ORDER BY created_at, id;
