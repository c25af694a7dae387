-- A stop never follows its warning sooner than promised (:heard).
-- part: warned_in_time
NOT (
    stop_warned = 1 AND stop_at <= :now AND COALESCE((
        SELECT n.message_ts <> '' AND n.sent_at > :heard FROM notices n WHERE n.id = workspaces.stop_warning
    ), FALSE)
)

-- A warning no longer counts if Usher was away for long, because nobody knows what the owner has done since. Nor does a
-- warning count that wasn't delivered or was dropped as outdated. But it does count if it can never be delivered, or if
-- Slack has accepted nothing for a long time (:waited) and the stop isn't that of a class whose members agreed to an
-- irreversible end.
-- part: timer_claimed
stop_warned = CASE
        WHEN stop_check_at < :absent AND stop_at < :absent THEN 0
        WHEN stop_warning IS NOT NULL AND NOT COALESCE((
            SELECT CASE WHEN n.state = 'sent' THEN n.message_ts <> ''
                ELSE n.state = 'dead' OR (n.created_at <= :waited AND (stop_card IS NULL OR stop_agreed = 0)) END
            FROM notices n WHERE n.id = workspaces.stop_warning
        ), FALSE) THEN 0
        ELSE stop_warned END,
    stop_check_at = :until

-- name: stop_watch
SELECT w.principal, w.connection, (
    SELECT o.id FROM operations o WHERE o.workspace_id = w.id AND o.outcome IS NULL
) AS open_operation
FROM workspaces w WHERE w.id = :id AND w.hidden = 0;

-- name: next_episode
UPDATE workspaces SET generation = generation + 1 WHERE id = :id;

-- name: limit_start
UPDATE operations SET
    revision = revision + 1, run_seconds = :at - created_at, deadline_at = CASE WHEN deadline_at > :at THEN :at ELSE deadline_at END,
    good_until = CASE WHEN good_until > :at THEN :at ELSE good_until END,
    {no_later}
WHERE workspace_id = :workspace_id AND outcome IS NULL AND verb IN ('start', 'restart', 'create')
    AND start_call = 'none';

-- name: unlimit_start
UPDATE operations SET revision = revision + 1, run_seconds = NULL
WHERE workspace_id = :workspace_id AND outcome IS NULL AND run_seconds > 0.0;

-- A workspace that is still to be started keeps its timer for as long as the start is valid.
-- name: settle_timer
UPDATE workspaces SET {changes}
WHERE id = :id AND (stop_at IS NOT NULL OR planned_stops <> '') AND NOT EXISTS (
        SELECT 1 FROM operations o
        WHERE o.workspace_id = :id AND o.outcome IS NULL AND o.verb IN ('start', 'restart', 'create')
            AND (o.start_call <> 'none' OR COALESCE(o.good_until, o.deadline_at) > :now)
    );

-- The start, if it is over and its call was never sent.
-- name: idle_start
SELECT id FROM operations WHERE id = :id AND outcome IS NOT NULL AND start_call = 'none';
