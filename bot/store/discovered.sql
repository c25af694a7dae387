-- name: stale_lists
SELECT id AS account_id, COALESCE(discovered_at, 0.0) AS read_at FROM accounts
WHERE connection = :connection AND state = 'active' AND COALESCE(discovered_at, 0.0) < :before
ORDER BY COALESCE(discovered_at, 0.0) LIMIT :limit;

-- Each row is a workspace, even if its owner is no longer linked, because the batch's size is a number of workspaces.
-- name: lists_in_use
SELECT w.used_at, w.id, a.id AS account_id, w.connection, COALESCE(a.discovered_at, 0.0) AS read_at
FROM workspaces w
LEFT JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
WHERE w.used_at >= :after_used_at AND (w.used_at, w.id) > (:after_used_at, :after_id)
ORDER BY w.used_at, w.id LIMIT :limit;

-- name: workspaces_of_account
SELECT w.*, (
    SELECT o.id FROM operations o WHERE o.workspace_id = w.id AND o.outcome IS NULL
) AS open_operation
FROM workspaces w
WHERE w.principal = :principal AND w.connection = :connection AND w.remote_id > :after
ORDER BY w.remote_id LIMIT :limit;

-- name: listed_workspace
UPDATE workspaces SET
    {changes}, unconfirmed = NULL,
    started_at = CASE WHEN :state IN ('starting', 'running') AND state IN ('starting', 'running') THEN started_at END,
    lacks = CASE WHEN :state = 'running' THEN lacks END,
    lacks_since = CASE WHEN :state = 'running' THEN lacks_since END,
    running_since = CASE WHEN :state = 'running' THEN COALESCE(running_since, :observed_at) END,
    idle_check_at = CASE WHEN :state = 'running' AND running_since IS NULL THEN :observed_at ELSE idle_check_at END,
    down_seen_at = CASE WHEN state IN ('stopped', 'suspended', 'failed') THEN observed_at ELSE down_seen_at END,
    up_at = CASE WHEN :state IN ('starting', 'running') THEN :observed_at ELSE up_at END
WHERE id = :id;
