-- name: note_failover
UPDATE database_timeline SET
    server = :server, detected_at = :now, lost_since = COALESCE((SELECT at FROM audit ORDER BY seq DESC LIMIT 1), 0.0)
WHERE id = 1 AND server <> :server;

-- name: failover
SELECT lost_since, detected_at FROM database_timeline WHERE detected_at IS NOT NULL;

-- A batch of the remaining rows. Rows that were already put on hold aren't found again.
-- name: open_operations_left
SELECT * FROM operations WHERE outcome IS NULL ORDER BY created_at, id LIMIT :limit;

-- name: unseen_runs_left
SELECT * FROM runs WHERE outcome IS NULL AND remote_id IS NULL ORDER BY created_at, id LIMIT :limit;

-- name: timers_left
SELECT * FROM workspaces WHERE stop_at IS NOT NULL ORDER BY stop_at, id LIMIT :limit;

-- No workspace is stopped at the end of a class, because the end may have been moved or cancelled since.
-- name: hold_classes
UPDATE class_cards SET stops_at = NULL, done_at = CASE WHEN closed_at IS NULL THEN done_at ELSE :now END
WHERE id IN (
    SELECT id FROM class_cards WHERE done_at IS NULL AND (stops_at IS NOT NULL OR closed_at IS NOT NULL) LIMIT :limit
)
RETURNING id;

-- Messages that were waiting in the backup were probably sent soon after it was made, so Usher looks for them before
-- sending them.
-- name: seek_notices
UPDATE notices SET state = 'retry', unknown_since = COALESCE(unknown_since, :since)
WHERE id IN (
    SELECT id FROM notices
    WHERE state NOT IN ('sent', 'dead') AND kind <> 'reply' AND created_at < :began
        AND (state <> 'retry' OR unknown_since IS NULL)
    LIMIT :limit
);

-- name: people_named
SELECT principal FROM people WHERE principal LIKE :ending AND is_deleted = 0 ORDER BY principal;

-- name: delete_upkeep
DELETE FROM upkeep;
