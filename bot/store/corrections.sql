-- Whether the owner was already told, or is about to be told, that an operation didn't end as reported.
-- name: was_corrected
SELECT 1 AS found FROM notices
WHERE subject = :subject AND kind = 'turned_out' AND occasion LIKE :prefix AND (state <> 'sent' OR message_ts <> '');

-- Whether the owner was told that a workspace no longer exists, other than by the end of an operation.
-- name: told_as_gone
SELECT 1 AS found FROM notices n JOIN workspaces w ON w.id = n.subject
WHERE w.id = :id AND n.created_at >= COALESCE(w.gone_at, w.observed_at) - 60 AND n.state = 'sent' AND n.message_ts <> ''
    AND (n.kind IN ('stopped_elsewhere', 'turned_out') OR (n.kind = 'hours_paused' AND n.occasion LIKE 'gone:%'))
LIMIT 1;

-- Creations that were reported as failed or unknown, with the workspace of the same name that a list has found since.
-- name: made_after_all
SELECT o.id AS operation_id, f.id AS workspace_id FROM workspaces w
JOIN operations o ON o.workspace_id = w.id AND o.ended_at > :since
    AND (o.outcome = 'unknown' OR (o.outcome = 'failed' AND o.verb = 'create' AND o.called_at IS NOT NULL))
JOIN workspaces f ON f.principal = w.principal AND f.connection = w.connection AND f.name = w.name AND f.hidden = 0
    AND f.origin = 'discovered' AND f.created_at >= o.created_at
WHERE w.principal = :principal AND w.connection = :connection AND w.remote_id LIKE :unmade
ORDER BY o.created_at, o.id, f.id;

-- Whether another person who has this workspace on their list asked Usher to stop it.
-- name: stopped_by_others
SELECT 1 AS found FROM workspaces w JOIN workspaces s ON s.gate_key = w.gate_key AND s.id <> w.id
JOIN operations o ON o.workspace_id = s.id AND o.stop_call <> 'none' AND o.verb NOT IN ('start', 'restart', 'create')
    AND (o.outcome IS NULL OR o.ended_at > :since)
WHERE w.id = :id LIMIT 1;
