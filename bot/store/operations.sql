-- Only the process that owns a connection's start queue sends its starts.
-- part: starts_here
NOT (verb IN ('start', 'restart', 'create') AND start_call <> 'accepted' AND EXISTS (
    SELECT 1 FROM owners o
    WHERE o.name = 'starts:' || operations.connection AND o.owner <> :owner AND o.until > :now
))

-- name: claimed_operations
SELECT o.id, {columns w a p} FROM operations o
JOIN workspaces w ON w.id = o.workspace_id
{acting}
WHERE o.id IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT id FROM operations WHERE outcome IS NULL AND next_step_at = :until AND claim = :claim
    /* postgresql: )) */
) ORDER BY o.created_at, o.id;

-- name: change_good_until
UPDATE operations SET revision = revision + 1, good_until = :at, {no_later} WHERE id = :id AND outcome IS NULL;

-- Workspaces whose names a new one must differ from: those on the list, and those that may still be created.
-- name: namesakes
SELECT w.* FROM workspaces w
WHERE w.principal = :principal AND w.connection = :connection AND w.id <> :id
    AND (w.hidden = 0 OR (w.remote_id LIKE :unmade AND EXISTS (
        SELECT 1 FROM operations o WHERE o.workspace_id = w.id AND o.outcome = 'unknown'
    )));

-- Whether a workspace has planned stops or is on the waitlist, both of which may change when its operation ends, and
-- whether anybody is on the waitlist.
-- name: touched_by_end
SELECT EXISTS (
        SELECT 1 FROM workspaces WHERE id = :workspace_id AND (stop_at IS NOT NULL OR planned_stops <> '')
    ) AS has_ends, EXISTS (
        SELECT 1 FROM waitlist_entries WHERE workspace_id = :workspace_id AND ended_at IS NULL
    ) AS waits, EXISTS (SELECT 1 FROM waitlist_entries WHERE ended_at IS NULL) AS has_line;

-- name: last_starts
SELECT ended_at - called_at AS seconds FROM operations
WHERE workspace_id = :workspace_id AND outcome = 'fulfilled' AND start_call = 'accepted'
    AND called_at IS NOT NULL
ORDER BY created_at DESC LIMIT 20;

-- name: starts_alike
SELECT ended_at - called_at AS seconds FROM operations
WHERE start_kind = :start_kind AND outcome = 'fulfilled' AND start_call = 'accepted' AND called_at IS NOT NULL
ORDER BY ended_at DESC LIMIT 50;

-- name: shown_operation
SELECT {columns o w a}, (
        SELECT n.id FROM operations n WHERE n.workspace_id = o.workspace_id
        ORDER BY n.created_at DESC, CASE WHEN n.outcome IS NULL THEN 0 ELSE 1 END, n.id DESC LIMIT 1
    ) AS newest, {end_state} AS end_state, p.time_zone AS time_zone
FROM operations o
LEFT JOIN workspaces w ON w.id = o.workspace_id
{acting}
WHERE o.id = :id;

-- name: latest_operation
SELECT * FROM operations WHERE workspace_id = :workspace_id
ORDER BY created_at DESC, CASE WHEN outcome IS NULL THEN 0 ELSE 1 END, id DESC LIMIT 1;

-- name: creation_of
SELECT * FROM operations WHERE workspace_id = :workspace_id AND verb = 'create'
ORDER BY created_at DESC, id DESC LIMIT 1;
