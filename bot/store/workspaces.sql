-- As long as an operation is open, an end isn't announced. The notice's occasion is the announced end. If the end moves
-- by less than a minute, it counts as the same.
-- part: end_is_news
state IN ('running', 'stopped')
    AND EXISTS (
        SELECT 1 FROM accounts a
        WHERE a.principal = workspaces.principal AND a.connection = workspaces.connection AND a.state = 'active'
    )
    AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.workspace_id = workspaces.id AND o.outcome IS NULL)
    AND NOT EXISTS (
        SELECT 1 FROM notices n
        WHERE n.subject = workspaces.id AND n.kind = 'workspace_expiry'
            AND ABS(CAST(n.occasion AS DOUBLE PRECISION) - workspaces.expires_at) <= 60
    )

-- Workspaces found through a resting link aren't shown anywhere, because the link's username now belongs to another
-- account.
-- part: workspace_is_shown
NOT EXISTS (
    SELECT 1 FROM accounts b
    WHERE b.principal = workspaces.principal AND b.connection = workspaces.connection AND b.resting_since IS NOT NULL
)

-- name: own_workspaces
SELECT * FROM workspaces WHERE principal = :principal AND {workspace_is_shown};

-- name: piece_of_workspaces
SELECT * FROM workspaces WHERE principal = :principal AND (connection, remote_id) > (:connection, :remote_id)
    AND {workspace_is_shown}
ORDER BY connection, remote_id LIMIT :limit;

-- Rows to which the owner has given a name are always included.
-- name: workspaces_called
SELECT * FROM workspaces WHERE hidden = 0 AND {workspace_is_shown} AND id IN (
    SELECT id FROM workspaces WHERE principal = :principal AND folded IN (:folded, :folded_stem)
    UNION ALL
    SELECT id FROM workspaces WHERE principal = :principal AND remote_id IN (:name, :stem)
    UNION ALL
    SELECT id FROM workspaces WHERE principal = :principal AND (alias IS NOT NULL OR folded_from <> name)
);

-- A workspace of any owner, with the account and the row of the person who wants to see it.
-- name: reached_workspace
SELECT {columns w a p}, EXISTS (
        SELECT 1 FROM waitlist_entries e WHERE e.workspace_id = w.id AND e.ended_at IS NULL
    ) AS waits
FROM workspaces w
LEFT JOIN accounts a ON a.id = (
        SELECT c.id FROM accounts c WHERE c.principal = :principal AND c.connection = w.connection
        ORDER BY CASE WHEN c.state = 'revoking' THEN 1 ELSE 0 END, c.linked_at DESC, c.id LIMIT 1
    )
LEFT JOIN people p ON p.principal = :principal
WHERE w.id = :id;
