-- Whether a message may have been sent in the seconds lost by a failover, and hasn't been looked for since. (A message
-- that is waiting for a read has been looked for.) A message about an operation or run from before the failover may
-- have been sent whenever it is written. Any other message may have been sent only if it is written within ten minutes.
-- part: doubted
EXISTS (
        SELECT 1 FROM database_timeline l WHERE l.detected_at > COALESCE(
                (SELECT o.created_at FROM operations o WHERE o.id = notices.subject),
                (SELECT r.created_at FROM runs r WHERE r.id = notices.subject),
                notices.created_at - CASE WHEN notices.kind IN ('message', 'reply', 'writes_lost') THEN 0.0 ELSE 600.0 END
            ) AND NOT (
                COALESCE(notices.error, '') IN ('not sent', 'to be read')
                AND notices.leased_at >= l.detected_at
            )
    )

-- Only the process that follows a run's output looks for a message about it.
-- part: output_followed_here
NOT EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'output:' || notices.subject AND o.owner <> :owner AND o.until > :now
)

-- part: unsure_claimed
unknown_since = COALESCE(unknown_since, CASE WHEN {doubted} THEN (SELECT lost_since FROM database_timeline) END, leased_at),
    state = 'leased', attempts = attempts + 1, leased_at = :now, due_at = :until

-- An expired lease means an attempt of unknown outcome. The notice about the end of an operation or run waits briefly
-- for a card that is being sent, so that the two appear in the right order. A card that isn't being sent yet waits for
-- the notice about the end, because both would say the same, and few cards are still needed after that.
-- part: claimable
combined_into IS NULL
    AND NOT (
    kind IN {END} AND created_at > :settled AND EXISTS (
        SELECT 1 FROM notices c
        WHERE c.subject = notices.subject AND c.kind IN {CARD} AND c.state = 'leased' AND c.due_at > :now
    )
) AND NOT (
    kind IN {CARD} AND EXISTS (
        SELECT 1 FROM notices e
        WHERE e.subject = notices.subject AND e.kind IN {END} AND e.state NOT IN ('sent', 'dead')
    )
) AND NOT (
    kind = 'reply' AND EXISTS (
        SELECT 1 FROM notices u
        WHERE u.principal = notices.principal AND u.kind IN {URGENT}
            AND u.state IN ('pending', 'retry') AND u.combined_into IS NULL AND u.created_at > :settled
    )
) AND NOT (
    kind = 'summary' AND EXISTS (
        SELECT 1 FROM notices h
        WHERE h.combined_into = notices.id AND h.combined_into IS NOT NULL AND h.kind NOT IN {KINDS}
    )
) AND NOT (
    kind = 'summary' AND EXISTS (
        SELECT 1 FROM notices u
        WHERE u.principal = notices.principal AND u.kind IN {NEWS} AND u.combined_into IS NULL
            AND u.state NOT IN ('sent', 'dead')
            AND (u.state = 'leased' OR (u.unknown_since IS NOT NULL AND u.due_at <= :now))
    )
) AND {output_followed_here}

-- part: attempted
unknown_since = CASE
        WHEN state = 'leased' THEN COALESCE(unknown_since, leased_at)
        WHEN {doubted} THEN COALESCE(unknown_since, (SELECT lost_since FROM database_timeline))
        ELSE unknown_since END,
    state = 'leased', attempts = attempts + 1, leased_at = :now, due_at = :until

-- Notices that are due, and those to retry even before their pause ends. That excludes notices that failed through a
-- mistake of ours, and those that may have been sent and haven't had time to show up yet.
-- part: due_or_retried
(due_at <= :now OR (
        state = 'retry' AND error NOT IN ('internal', 'undrawable') AND (unknown_since IS NULL OR leased_at > unknown_since)
    ))

-- The urgencies with notices that are due, and how many of these messages Slack still accepts. This takes no lock.
-- name: due_urgencies
SELECT wanted.key AS urgency, {room} AS fit FROM json_each(:urgencies) wanted
WHERE EXISTS (
    SELECT 1 FROM notices n
    WHERE n.urgency = CAST(wanted.key AS INTEGER) AND n.state NOT IN ('sent', 'dead') AND n.due_at <= :now
);

-- People with news to combine: either several pieces, the oldest of which has been waiting for a long time, or more
-- news in addition to an unclaimed summary. A summary counts as being as old as its oldest news. The states are named
-- twice for the index.
-- name: late_news
SELECT principal, MIN(CASE WHEN kind = 'summary' THEN due_at ELSE created_at END) AS oldest FROM notices
WHERE urgency IN (1, 3) AND {due_or_retried} AND state NOT IN ('sent', 'dead')
    AND state <> 'leased' AND unknown_since IS NULL AND combined_into IS NULL AND NOT {doubted}
    AND (kind IN {NEWS} OR kind = 'summary')
GROUP BY principal
HAVING COUNT(*) > 1 AND MIN(CASE WHEN kind = 'summary' THEN due_at ELSE created_at END) <= :since;

-- name: unclaimed_summary
SELECT id FROM notices
WHERE principal = :principal AND state NOT IN ('sent', 'dead') AND state <> 'leased' AND unknown_since IS NULL
    AND kind = 'summary' LIMIT 1
/* postgresql: FOR UPDATE */;

-- name: unclaimed_results
SELECT id, due_at FROM notices
WHERE subject = :request AND principal = :principal AND state = 'pending' AND kind = 'results' LIMIT 1
/* postgresql: FOR UPDATE */;

-- name: open_of_request
SELECT id FROM operations
WHERE principal = :principal AND outcome IS NULL AND reference = :request LIMIT 1;

-- name: gather_news
UPDATE notices SET combined_into = :holder
WHERE id IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT id FROM notices
    WHERE principal = :principal AND state NOT IN ('sent', 'dead') AND {due_or_retried}
        AND state <> 'leased' AND unknown_since IS NULL AND combined_into IS NULL AND kind IN {NEWS} AND NOT {doubted}
    LIMIT :limit
    /* postgresql: FOR UPDATE SKIP LOCKED)) */
)
RETURNING id;

-- The body is deleted, because nobody reads it after the message has been sent, and a reply's body holds a response
-- URL, which gives access. ``needless_card`` is a card that was waiting for the message about the operation's end.
-- name: notice_sent
UPDATE notices SET
    state = 'sent', sent_at = :now, channel_id = :channel_id, message_ts = :message_ts, error = NULL,
    body = '{}'
WHERE id = :id AND state <> 'sent'
RETURNING subject, kind, principal,
    (SELECT d.channel_id FROM direct_channels d WHERE d.principal = notices.principal) AS direct,
    CASE WHEN kind IN {END} AND :message_ts <> '' THEN (
        SELECT c.id FROM notices c WHERE c.subject = notices.subject AND c.kind = 'card' AND c.state = 'pending'
    ) END AS needless_card;

-- name: notice_retry
UPDATE notices SET state = 'retry', due_at = :due_at, error = :error, is_text = :is_text, read_since = :read_since,
    tried_at = :tried_at,
    unknown_since = CASE
        WHEN :has_unknown = 0 OR unknown_since <= :unknown_since THEN unknown_since
        ELSE :unknown_since END
WHERE id = :id AND attempts = :attempts AND state NOT IN ('sent', 'dead');

-- name: notice_not_sent
UPDATE notices SET state = 'retry', due_at = created_at, error = 'not sent', unknown_since = NULL,
    read_since = NULL, tried_at = NULL
WHERE id = :id AND attempts = :attempts AND state = 'leased';

-- Messages that Slack didn't accept while it couldn't be reached, or while it refused Usher, become due in order of
-- age. A message that may have been sent keeps its time to show up (:shown). One that failed through a mistake of ours
-- keeps its pause, as replies do. The states are named twice for the index.
-- name: release_notices
UPDATE notices SET due_at = created_at
WHERE id IN (
    SELECT id FROM notices
    WHERE urgency IN (1, 2, 3) AND due_at > :now AND state NOT IN ('sent', 'dead')
        AND state = 'retry' AND error NOT IN ('internal', 'undrawable') AND (unknown_since IS NULL OR due_at > :shown)
        AND created_at < due_at AND principal LIKE :people
    ORDER BY principal LIMIT :limit
);

-- name: release_card
UPDATE notices SET due_at = :now
WHERE subject = :subject AND kind IN {CARD} AND state = 'pending' AND due_at > :now;

-- name: end_of
SELECT {end_state} AS state;

-- name: notice_dead
UPDATE notices SET
    state = 'dead', error = :error, body = '{}'
WHERE id = :id AND state NOT IN ('sent', 'dead')
RETURNING kind, subject;

-- name: held_notices
SELECT * FROM notices WHERE combined_into = :id AND state <> 'dead';

-- name: dead_notices
SELECT * FROM notices WHERE state = 'dead' ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: notice_about
SELECT id FROM notices WHERE subject = :subject LIMIT 1;
