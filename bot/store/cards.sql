-- changed_at marks a change of state, but only for cards and questions. Other notices only lose buttons, which can
-- wait.
-- part: queued_again
UPDATE cards SET is_dirty = 1, revision = revision + 1,
    changed_at = CASE WHEN :changed = 1 AND (is_notice = 0 OR kind IN {ASKS}) THEN :now ELSE changed_at END

-- The message about the end comes first, because the card would say the same. Only the process that follows a run's
-- output can draw its card.
-- part: drawable
NOT EXISTS (
    SELECT 1 FROM notices n
    WHERE n.subject = cards.subject AND cards.is_notice = 0 AND n.kind IN {END} AND n.state NOT IN ('sent', 'dead')
) AND (kind <> 'job_card' OR NOT EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'output:' || cards.subject AND o.owner <> :owner AND o.until > :now
))

-- Changes that leave the state as it is are shown every 15 seconds during the first minute of a card (or of its run, if
-- the run waited for more than a minute to begin), and every minute after that.
-- part: paced
(is_notice = 1 OR updated_at <= :slowly_before OR created_at > :slowly_before OR EXISTS (
    SELECT 1 FROM runs r
    WHERE r.id = cards.subject AND r.started_at > :slowly_before
        AND r.started_at - cards.created_at > :now - :slowly_before
))

-- An open operation's card is updated at most every few seconds, because most changes are immediately followed by
-- another. If the operation was planned, its owner was warned, so its card is updated only if the operation takes long.
-- part: stays
NOT EXISTS (
    SELECT 1 FROM operations o WHERE o.id = cards.id AND o.outcome IS NULL
        AND (cards.updated_at > :moment_before OR (o.planned_for IS NOT NULL AND o.created_at > :planned_before))
)

-- The message under which a run's output file is posted. It is the message about the end if that was written first,
-- because the card is then removed. Otherwise, it is the card, which stays. Every attempt finds the same message. If
-- the card isn't in Slack, the other message is used.
-- name: head_of
SELECT * FROM cards WHERE subject = :subject AND (is_notice = 0 OR kind IN {END})
ORDER BY
    CASE WHEN is_notice = 1 AND created_at <= :written_at THEN 0 WHEN message_ts IS NULL THEN 2 ELSE 1 END, is_notice
LIMIT 1;

-- name: queue_cards
{queued_again}
WHERE subject = :subject AND stage = 'live';

-- Until :ends_by, the card of the operation :ends is left to the step that will end the operation.
-- name: queue_cards_about
{queued_again},
    leased_until = CASE WHEN subject = :ends AND leased_until < :ends_by THEN :ends_by ELSE leased_until END
WHERE about = :about AND stage = 'live';

-- Older messages about the same thing may lose their buttons to a new message. If work has ended, its card or answer is
-- removed, even a card that was closed before it was known to be in Slack. If a question is repeated, only the newest
-- one stays open.
-- name: queue_former
UPDATE cards SET is_dirty = 1, revision = revision + 1,
    changed_at = CASE WHEN kind = :kind THEN NULL ELSE changed_at END,
    stage = CASE
        WHEN kind = :kind AND (kind IN {ASKS} OR kind IN {NEWEST}) THEN 'closed'
        ELSE stage END
WHERE principal = :principal AND about IN (:about, :subject) AND id <> :id
    AND (stage = 'live' OR (is_notice = 0 AND :kind IN {END}))
    AND (is_notice = 1 OR (subject = :subject AND kind NOT IN {IN_CHANNEL}))
    AND message_ts IS NOT NULL;

-- name: queue_ended
UPDATE cards SET is_dirty = 1, revision = revision + 1
WHERE subject = :subject AND (stage = 'live' OR is_notice = 0) AND kind NOT IN {IN_CHANNEL} AND message_ts IS NOT NULL;

-- The answer to a press is about to replace this message.
-- name: wait_for_answer
UPDATE cards SET leased_until = :until
WHERE channel_id = :channel_id AND message_ts = :message_ts AND is_notice = 1
    AND kind NOT IN {ASKS};

-- A new notice is about to replace the answers to this interaction.
-- name: wait_for_result
UPDATE cards SET leased_until = :until
WHERE id IN (SELECT id FROM notices WHERE subject = :interaction) AND is_notice = 1 AND kind NOT IN {ASKS};

-- The other cards that share a card's message.
-- name: cards_beside
SELECT * FROM cards WHERE message_ts = :message_ts AND channel_id = :channel_id AND id <> :id;

-- name: forget_replaced
DELETE FROM cards
WHERE channel_id = :channel_id AND message_ts = :message_ts AND is_notice = 1 AND id <> :id
    AND kind NOT IN {ASKS};

-- name: place_card
UPDATE cards SET
    channel_id = :channel_id, updated_at = :now, rendered_digest = :rendered_digest, body = COALESCE(:said, body),
    message_ts = :message_ts, over_at = :over_at
WHERE id = :id;

-- name: unplace_card
UPDATE cards SET
    channel_id = NULL, message_ts = NULL, rendered_digest = '', over_at = NULL,
    is_dirty = 0, changed_at = NULL, leased_until = 0
WHERE id = :id;

-- The card stays dirty if it changed after the claim. Only the process whose lease still holds knows what it shows.
-- name: card_updated
UPDATE cards SET
    is_dirty = CASE WHEN revision = :revision THEN 0 ELSE 1 END,
    changed_at = CASE
        WHEN revision = :revision OR changed_at <= :claimed_changed_at THEN NULL
        ELSE changed_at END,
    rendered_digest = CASE WHEN leased_until = :leased_until THEN :rendered_digest ELSE '' END,
    body = COALESCE(:said, body), over_at = :over_at,
    updated_at = :now, leased_until = 0
WHERE id = :id;
