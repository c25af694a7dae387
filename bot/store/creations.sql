-- If the workspace exists, it doesn't matter which step found it. If another step holds the operation, the operation is
-- stepped again immediately afterwards. A workspace that was created stopped is started next, like any other that
-- exists.
-- name: accept_created
UPDATE operations SET
    revision = revision + 1,
    verb = CASE WHEN :is_started = 0 AND outcome IS NULL THEN 'start' ELSE verb END,
    start_call = CASE WHEN :is_started = 0 AND outcome IS NULL THEN 'none' ELSE 'accepted' END,
    read_since = :now, question_since = NULL, unknown_since = NULL,
    wake_reason = CASE WHEN leased_until > :now AND claim <> :claim THEN 3 ELSE wake_reason END,
    next_step_at = CASE WHEN leased_until > :now OR next_step_at < :now THEN next_step_at ELSE :now END
WHERE id = :id;

-- name: unsent_notices_of
SELECT id, body FROM notices WHERE subject = :subject AND state NOT IN ('sent', 'dead');

-- A gate that is already known isn't the new workspace's, unless a list of the same person's workspaces has added the
-- gate's workspace since the call.
-- name: explained
SELECT g.gate_key FROM gates g
WHERE g.gate_key = :gate_key AND NOT EXISTS (
    SELECT 1 FROM workspaces w
    WHERE w.gate_key = :gate_key AND w.principal = :principal AND w.spec IS NULL AND w.created_at >= :since
);

-- Another creation that was called in the meantime and whose result isn't known. If it failed and its call had no
-- effect, it created nothing. But as long as it is open, it may be called again.
-- name: nameless_creation
SELECT o.id FROM operations o
WHERE o.connection = :connection AND o.verb = 'create' AND o.called_at >= :since AND o.id <> :id
    AND NOT (o.start_call = 'none' AND o.outcome IS NOT NULL AND o.outcome = 'failed')
    AND NOT EXISTS (
        SELECT 1 FROM workspaces w WHERE w.id = o.workspace_id AND w.remote_id NOT LIKE :unmade
    )
LIMIT 1;
