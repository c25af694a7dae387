-- Whether a card of an operation or a run is in Slack, or is about to be. A lost card shows nothing.
-- name: heard
SELECT o.id IS NOT NULL AS is_operation, o.planned_for, r.state AS run_state, w.notify_ready, w.notify_stopped,
    {columns q}, EXISTS (SELECT 1 FROM cards c WHERE c.id = wanted.key AND c.message_ts IS NOT NULL) OR EXISTS (
        SELECT 1 FROM notices n
        WHERE n.subject = wanted.key AND n.state NOT IN ('sent', 'dead')
            AND (n.kind IN {CARD} OR n.kind = 'card_update')
    ) AS has_card
FROM (SELECT CAST(:subject AS TEXT) AS key) wanted
LEFT JOIN operations o ON o.id = wanted.key
LEFT JOIN runs r ON r.id = wanted.key
LEFT JOIN workspaces w ON w.id = COALESCE(o.workspace_id, :workspace)
LEFT JOIN preferences q ON q.principal = :principal;
