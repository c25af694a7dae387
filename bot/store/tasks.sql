-- Once a process has begun to read all people from Slack, only that process continues.
-- part: people_here
NOT (kind = 'sync_people' AND EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'people' AND o.owner <> :owner AND o.until > :now
))

-- name: reads_of_account
SELECT * FROM tasks
WHERE kind IN ('discover', 'list_runs', 'snapshot')
    AND subject >= :account_id AND subject < :account_id || '0'
ORDER BY created_at, id;
