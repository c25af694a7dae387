-- Abandoned notices that somebody would have read (see ``Notice.is_harmless``).
-- part: missed
state = 'dead' AND kind NOT IN {HARMLESS} AND (error IS NULL OR error NOT IN {UNREAD})

-- name: statistics
SELECT
    (SELECT COUNT(*) FROM operations WHERE outcome IS NULL) AS open_operations,
    (SELECT COUNT(*) FROM runs WHERE outcome IS NULL) AS open_runs,
    (SELECT COUNT(*) FROM notices WHERE state NOT IN ('sent', 'dead')) AS pending_notices,
    (SELECT COUNT(*) FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL
        AND stage = 'live') AS waiting_edits,
    (SELECT COUNT(*) FROM notices WHERE {missed}) AS dead_notices,
    (SELECT COUNT(*) FROM accounts WHERE state = 'revoking') AS owed_revocations,
    (SELECT COUNT(*) FROM tasks) AS tasks;

-- A message has been waiting since it was first due, however many attempts there have been.
-- name: oldest_notice
SELECT MIN(CASE WHEN state = 'pending' THEN due_at ELSE created_at END) AS since FROM notices
WHERE state NOT IN ('sent', 'dead') AND (state <> 'pending' OR due_at <= :now) AND combined_into IS NULL;

-- What would stop working without each connection.
-- name: uses
SELECT connection, SUM(people) AS people, SUM(running) AS running, SUM(timers) AS timers, SUM(hours) AS hours
FROM (
    SELECT connection, 1 AS people, 0 AS running, 0 AS timers, 0 AS hours FROM accounts WHERE state <> 'revoking'
    UNION ALL
    SELECT connection, 0, CASE WHEN state = 'running' THEN 1 ELSE 0 END, CASE WHEN stop_at IS NULL THEN 0 ELSE 1 END, 0
    FROM workspaces WHERE hidden = 0
    UNION ALL
    SELECT connection, 0, 0, 0, 1 FROM rules WHERE paused = ''
) AS used GROUP BY connection ORDER BY connection;

-- name: count_refusals
SELECT COUNT(*) AS count FROM operations
WHERE connection = :connection AND outcome = 'failed' AND cause LIKE :cause AND ended_at >= :since;
