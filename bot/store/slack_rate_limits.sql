-- name: have_slack_method
INSERT INTO slack_methods (team, method, paused_until) VALUES (:team, :method, 0)
ON CONFLICT (team, method) DO UPDATE SET team = excluded.team
RETURNING paused_until, (
    SELECT MIN(c.called_at) FROM slack_calls c WHERE c.team = slack_methods.team AND c.method = slack_methods.method
) AS oldest, (SELECT p.paused_until FROM slack_methods p WHERE p.team = :team AND p.method = :pause) AS channel_paused_until;

-- Counted if there is room for it: within the minute, and at its channel.
-- name: count_slack_call
INSERT INTO slack_calls (team, method, channel, called_at)
SELECT :team, :method, :channel, :now
WHERE (SELECT COUNT(*) FROM slack_calls WHERE team = :team AND method = :method AND called_at > :since) < :most
    AND NOT EXISTS (
        SELECT 1 FROM slack_calls
        WHERE team = :team AND method = :method AND called_at > :last AND channel = :paced
    );

-- name: forget_slack_calls
DELETE FROM slack_calls WHERE team = :team AND method = :method AND called_at <= :before AND called_at <= COALESCE((
    SELECT called_at FROM slack_calls WHERE team = :team AND method = :method ORDER BY called_at LIMIT 1 OFFSET :limit
), :before);

-- name: slack_call_at
SELECT called_at FROM slack_calls WHERE team = :team AND method = :method
ORDER BY called_at DESC LIMIT 1 OFFSET :place;

-- name: slack_call_to
SELECT called_at FROM slack_calls
WHERE team = :team AND method = :method AND channel = :channel AND called_at > :since
ORDER BY called_at DESC LIMIT 1;

-- name: slack_calls_left
SELECT {room} AS fit;

-- name: pause_slack_method
INSERT INTO slack_methods (team, method, paused_until) VALUES (:team, :method, :until)
ON CONFLICT (team, method) DO UPDATE SET paused_until = excluded.paused_until
WHERE excluded.paused_until > slack_methods.paused_until;

-- Pauses of channels: their keys lie between these two, as a blank comes right before an exclamation mark.
-- name: forget_slack_pauses
DELETE FROM slack_methods
WHERE team = :team AND method >= :begin AND method < :end AND paused_until <= :now;

-- name: other_slack_pause
SELECT method FROM slack_methods
WHERE team = :team AND method >= :begin AND method < :end AND method <> :paused LIMIT 1;
