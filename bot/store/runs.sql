-- If a process follows a run's output, only that process steps the run.
-- part: output_here
NOT EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'output:' || runs.id AND o.owner <> :owner AND o.until > :now
)

-- Like ``workspace_is_shown``, for runs.
-- part: run_is_shown
NOT EXISTS (
    SELECT 1 FROM accounts b
    WHERE b.principal = runs.principal AND b.connection = runs.connection AND b.resting_since IS NOT NULL
)

-- name: watched_runs
SELECT * FROM runs WHERE is_watched = 1 AND remote_id IS NOT NULL AND is_orphan = 0 AND {output_here}
    AND {run_is_shown}
ORDER BY created_at;

-- name: claimed_runs
SELECT o.id, {columns a p} FROM runs o
{acting}
WHERE o.id IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT id FROM runs WHERE outcome IS NULL AND next_step_at = :until AND claim = :claim
    /* postgresql: )) */
) ORDER BY o.created_at, o.id;

-- name: runs
SELECT * FROM runs WHERE principal = :principal AND is_orphan = 0 AND {run_is_shown} ORDER BY created_at DESC LIMIT :limit;

-- name: want_run_stop
UPDATE runs SET
    revision = revision + 1, requested_stop = :wanted, stop_call = 'none', busy_since = NULL, retry_at = NULL,
    attempts = CASE WHEN remote_id IS NULL THEN attempts ELSE 0 END,
    wake_reason = CASE WHEN leased_until > :now AND wake_reason < :strength THEN :strength ELSE wake_reason END,
    next_step_at = CASE WHEN leased_until > :now OR next_step_at < :now THEN next_step_at ELSE :now END
WHERE id = :id AND outcome IS NULL
RETURNING *;

-- name: wake_run
UPDATE runs SET
    {at_once}
WHERE id = :id AND outcome IS NULL;

-- Another launch with the same name whose result isn't known. A run that is found may belong to either launch.
-- name: nameless_launch
SELECT id FROM runs
WHERE principal = :principal AND connection = :connection AND name = :name AND id <> :id AND remote_id IS NULL
    AND outcome IS NULL AND start_call <> 'none'
LIMIT 1;

-- One process at a time reads an account's runs. The claim fails if the time of the last read has changed.
-- name: read_runs_of
UPDATE accounts SET runs_read_at = :now WHERE id = :id AND COALESCE(runs_read_at, 0.0) = :last AND state = 'active';
