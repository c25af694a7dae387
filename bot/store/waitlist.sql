-- The first person in line for a kind of capacity has their turn a minute after that line's last attempt, if no attempt
-- is open. The line is in order of rounds. Entries that aren't waiting, or whose time is over, are due whatever the
-- line does.
-- part: has_turn
(
    state <> 'waiting' OR waitlist_entries.expires_at <= :now OR NOT EXISTS (
        SELECT 1 FROM waitlist_entries other WHERE other.connection = waitlist_entries.connection AND other.kind = waitlist_entries.kind AND (
            other.state = 'trying' OR other.attempted_at + 60.0 > :now
            OR (other.state = 'waiting' AND (other.round, other.seq, other.id) < (waitlist_entries.round, waitlist_entries.seq, waitlist_entries.id))
        )
    )
)

-- name: next_in_line
SELECT COALESCE(MAX(seq), 0) + 1 AS seq FROM waitlist_entries;

-- name: count_places
SELECT COUNT(*) FILTER (WHERE (round, seq, id) < (:round, :seq, :id)) AS ahead,
    COUNT(*) FILTER (WHERE round > :round AND attempted_at IS NOT NULL) AS tried_before,
    COUNT(*) FILTER (WHERE id <> :id) AS others
FROM waitlist_entries WHERE connection = :connection AND kind = :kind AND state IN ('waiting', 'trying');

-- name: others_in_line
SELECT MIN(round) AS lowest, COALESCE(MAX(round), 0) AS highest, MIN(attempts) AS fewest FROM waitlist_entries
WHERE connection = :connection AND kind = :kind AND state IN ('waiting', 'trying') AND id <> :id;

-- name: attempts_under_way
SELECT COUNT(*) AS count FROM waitlist_entries WHERE connection = :connection AND state = 'trying';

-- Freed capacity may be of any kind that people are waiting for on the connection, so each of them is tried once, in
-- turn.
-- name: offer_room
UPDATE waitlist_entries SET next_at = CASE WHEN attempted_at + :pause > :now THEN attempted_at + :pause ELSE :now END
WHERE id IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT id FROM waitlist_entries
    WHERE connection = :connection AND state = 'waiting' AND next_at > :now
        AND (attempted_at IS NULL OR next_at > attempted_at + :pause) ORDER BY round, seq, id LIMIT :limit
    /* postgresql: FOR UPDATE SKIP LOCKED)) */
);

-- Attempts in progress, which were sent before capacity was freed.
-- name: discount_attempts
UPDATE waitlist_entries SET attempted_at = NULL WHERE connection = :connection AND state = 'trying';

-- The messages that show people's places in a line.
-- name: update_places
UPDATE cards SET is_dirty = 1, revision = revision + 1
WHERE id IN (
    SELECT c.id FROM waitlist_entries w JOIN cards c ON c.subject = w.id AND c.stage = 'live' AND c.message_ts IS NOT NULL
    WHERE w.connection = :connection AND w.kind = :kind AND w.state IN ('waiting', 'trying') LIMIT :limit
);

-- A newcomer is tried soon and often. Others in the line may come first, so they must be tried as soon and as often.
-- name: hasten_line
UPDATE waitlist_entries SET next_at = attempted_at + :pause
WHERE connection = :connection AND kind = :kind AND state = 'waiting' AND attempted_at IS NOT NULL
    AND next_at > attempted_at + :pause;

-- How many starts in a row, by anyone, have failed on a connection. Only starts that its provider accepted count.
-- name: failed_in_a_row
SELECT COUNT(*) AS count FROM operations WHERE connection = :connection AND outcome = 'failed' AND start_call = 'accepted'
    AND ended_at > COALESCE((
        SELECT MAX(ended_at) FROM operations good
        WHERE good.connection = :connection AND good.outcome = 'fulfilled' AND good.start_call = 'accepted'
    ), 0);

-- For each line: how many people are waiting and since when, and how long recent successful waits took on average.
-- name: lines
SELECT connection, kind, SUM(CASE WHEN state IN ('waiting', 'trying') THEN 1 ELSE 0 END) AS waiting,
    MIN(CASE WHEN state IN ('waiting', 'trying') THEN joined_at END) AS since,
    SUM(CASE WHEN granted_at > :since THEN 1 ELSE 0 END) AS got,
    AVG(CASE WHEN granted_at > :since THEN granted_at - joined_at END) AS waited
FROM (
    SELECT connection, kind, state, joined_at, granted_at FROM waitlist_entries WHERE ended_at IS NULL
    UNION ALL
    SELECT connection, kind, state, joined_at, granted_at FROM waitlist_entries WHERE ended_at > :since
) AS recent GROUP BY connection, kind ORDER BY connection, kind;

-- name: entries_of_person
SELECT * FROM waitlist_entries WHERE principal = :principal AND ended_at IS NULL AND state <> 'granted' ORDER BY seq;

-- name: last_wait
SELECT t.* FROM workspaces w JOIN waitlist_entries t ON t.workspace_id = w.id
WHERE w.principal = :principal AND COALESCE(t.granted_at, t.ended_at) > :since
ORDER BY COALESCE(t.granted_at, t.ended_at) DESC LIMIT 1;

-- name: open_entries
SELECT * FROM waitlist_entries WHERE ended_at IS NULL ORDER BY next_at, id LIMIT :limit;
