-- Count a call if it fits into the minute, keeps its channel's gap, and neither its method nor its channel is paused.
-- name: count_slack_call
INSERT INTO slack_calls (team, method, channel, called_at)
SELECT :team, :method, :channel, CAST(:now AS DOUBLE PRECISION)
WHERE (SELECT COUNT(*) FROM slack_calls WHERE team = :team AND method = :method AND called_at > :since) < :most
    AND NOT EXISTS (
        SELECT 1 FROM slack_calls
        WHERE team = :team AND method = :method AND called_at > :last AND channel = :paced
    )
    AND NOT EXISTS (
        SELECT 1 FROM slack_methods WHERE team = :team AND method IN (:method, :pause) AND paused_until > :now
    )
RETURNING (
    SELECT MIN(c.called_at) FROM slack_calls c WHERE c.team = slack_calls.team AND c.method = slack_calls.method
) AS oldest;

-- When the next call will fit: the pauses are over, the minute has room, and the channel's gap has passed.
-- name: next_slack_call
SELECT MAX(at) AS at FROM (
    SELECT MAX(paused_until) AS at FROM slack_methods WHERE team = :team AND method IN (:method, :pause)
    UNION ALL
    SELECT called_at + :window FROM (
        SELECT called_at FROM slack_calls WHERE team = :team AND method = :method
        ORDER BY called_at DESC LIMIT 1 OFFSET :place
    ) first_of_a_minute
    UNION ALL
    SELECT MAX(called_at) + :gap FROM slack_calls
    WHERE team = :team AND method = :method AND channel = :paced AND called_at > :last
) times;

-- name: forget_slack_calls
DELETE FROM slack_calls WHERE team = :team AND method = :method AND called_at <= :before AND called_at <= COALESCE((
    SELECT called_at FROM slack_calls WHERE team = :team AND method = :method ORDER BY called_at LIMIT 1 OFFSET :limit
), :before) AND :oldest >= (SELECT MIN(called_at) FROM slack_calls WHERE team = :team AND method = :method)
RETURNING called_at;

-- name: slack_calls_left
SELECT {room} AS fit;

-- name: pause_slack_method
INSERT INTO slack_methods (team, method, paused_until) VALUES (:team, :method, :until)
ON CONFLICT (team, method) DO UPDATE SET paused_until = excluded.paused_until
WHERE excluded.paused_until > slack_methods.paused_until;

-- The keys of channels' pauses sort between :begin and :end, because a space comes right before "!".
-- name: forget_slack_pauses
DELETE FROM slack_methods
WHERE team = :team AND method >= :begin AND method < :end AND paused_until <= :now;

-- name: other_slack_pause
SELECT method FROM slack_methods
WHERE team = :team AND method >= :begin AND method < :end AND method <> :paused LIMIT 1;
