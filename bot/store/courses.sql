-- The state of each member in a lesson, which has the local time :local and begins at :begins. Operations count if they
-- have been open or have begun since the lesson became due (:since), unless they start nothing. :is_on is 0 if the
-- lesson hasn't begun. A class has :begins 0.0, so everything since it was posted counts. A member's progress is that
-- of the newest operation that brings their workspace up.
-- part: in_lesson
SELECT p.*, o.id AS newest, a.id AS account_id,
    CASE
        WHEN p.withdrawn_at IS NOT NULL AND p.workspace_id IS NULL THEN 'left'
        WHEN p.waits_for = 'unlinked' THEN 'unlinked'
        WHEN p.waits_for <> '' THEN 'no_workspace'
        WHEN :is_on = 0 AND a.id IS NULL THEN 'unlinked'
        WHEN :is_on = 0 AND (w.id IS NULL OR w.state = 'gone' OR w.hidden = 1) THEN 'no_workspace'
        WHEN :is_on = 0 THEN 'coming'
        WHEN o.outcome IS NULL AND o.id IS NOT NULL AND a.id IS NOT NULL THEN 'starting'
        WHEN w.state = 'running' AND (o.id IS NULL OR o.outcome IS NOT NULL) THEN 'ready'
        WHEN ((p.is_ready = 1 AND p.lesson = :local) OR o.outcome = 'fulfilled') AND (
            w.id IS NULL OR w.observed_at IS NULL OR w.observed_at <= COALESCE(o.ended_at, p.consented_at)
            OR w.state IN ('starting', 'unknown')
        ) THEN 'ready'
        WHEN (p.is_ready = 1 AND p.lesson = :local) OR o.outcome IN ('fulfilled', 'replaced') THEN 'down'
        WHEN a.id IS NULL THEN 'unlinked'
        WHEN o.outcome = 'failed' AND (o.cause LIKE 'no_room%' OR o.cause LIKE 'limit%') AND o.verb = 'start' AND o.planned_for = :begins THEN 'no_room'
        WHEN o.id IS NOT NULL THEN 'failed'
        WHEN w.id IS NULL OR w.state = 'gone' OR w.hidden = 1 THEN 'no_workspace'
        WHEN w.state = 'starting' THEN 'starting'
        -- Their start was refused.
        WHEN CAST(:local AS TEXT) <> '' AND p.lesson = :local THEN 'failed'
        ELSE 'coming'
    END AS state
FROM participants p
-- Each row is found by its key. Otherwise, as long as PostgreSQL has no statistics of a large course, it would pair
-- every row with every other.
LEFT JOIN accounts a ON a.id = (
    SELECT b.id FROM accounts b
    WHERE b.principal = p.principal AND b.connection = :connection AND b.state = 'active' ORDER BY b.id LIMIT 1
)
LEFT JOIN workspaces w ON w.id = p.workspace_id
LEFT JOIN operations o ON o.id = (
    SELECT x.id FROM operations x
    WHERE x.workspace_id = p.workspace_id AND x.verb IN ('start', 'restart', 'create')
        AND (x.created_at >= :since OR x.planned_for = :begins OR x.ended_at IS NULL OR x.ended_at >= :since)
        AND (x.run_seconds IS NULL OR x.run_seconds > 0.0)
        -- Another try for capacity says nothing new until the provider has accepted it.
        AND NOT (x.outcome IS NULL AND x.start_call IN ('none', 'calling') AND x.planned_for = :begins AND EXISTS (
            SELECT 1 FROM operations y
            WHERE y.workspace_id = x.workspace_id AND y.planned_for = :begins AND y.outcome = 'failed'
                AND (y.cause LIKE 'no_room%' OR y.cause LIKE 'limit%')
        ))
    ORDER BY x.created_at DESC, x.id DESC LIMIT 1
)
WHERE p.card_id = :card_id

-- name: class_counted
UPDATE class_cards SET
    counted = :counted, counted_at = :now, next_check_at = :next_check_at,
    changed_at = CASE WHEN counted <> :counted THEN :now ELSE changed_at END
WHERE id = :id;

-- name: close_class
UPDATE class_cards SET
    closed_at = :now, stopped_by = :stopped_by, next_check_at = :now,
    stops_at = CASE WHEN stops_at < :stops_at THEN stops_at ELSE :stops_at END
WHERE id = :id AND closed_at IS NULL AND done_at IS NULL
RETURNING *;

-- name: courses
SELECT * FROM class_cards WHERE days <> '' AND done_at IS NULL ORDER BY created_at DESC;

-- A co-teacher's key may be part of another key, so the caller compares them.
-- name: taught_cards
SELECT * FROM class_cards
WHERE principal = :principal OR co_teachers LIKE '%' || :principal || '%'
    OR SUBSTR(principal, 1, LENGTH(:reach)) = :reach
ORDER BY created_at DESC LIMIT :limit;

-- Courses that a person has joined without having an account or a workspace for them yet.
-- name: pending_courses
SELECT c.id FROM class_cards c CROSS JOIN participants p
WHERE c.days <> '' AND c.done_at IS NULL AND p.card_id = c.id AND p.principal = :principal
    AND p.workspace_id IS NULL AND p.withdrawn_at IS NULL;

-- name: repost_class
UPDATE class_cards SET posts = posts + 1 WHERE id = :id RETURNING *;

-- name: class_card_on_its_way
SELECT id FROM notices WHERE subject = :id AND kind = 'class_card' AND state NOT IN ('sent', 'dead');

-- name: seats_taken
SELECT COUNT(*) AS count FROM participants
WHERE card_id = :card_id AND (withdrawn_at IS NULL OR workspace_id IS NOT NULL);

-- Each press that takes effect is a consent, even if an earlier consent was withdrawn. The time in between doesn't count
-- as usage of the class.
-- name: press_class
INSERT INTO participants (
    id, card_id, principal, joined_at, waits_for, workspace_id, operation_id, is_ready, consented_at, warned_at
) VALUES (
    :id, :card_id, :principal, :now, '', :workspace_id, :operation_id, :is_ready, :now, 1e12
)
ON CONFLICT (card_id, principal) DO UPDATE SET
    waits_for = '', workspace_id = excluded.workspace_id, operation_id = excluded.operation_id,
    is_ready = excluded.is_ready, consented_at = excluded.consented_at, warned_at = excluded.warned_at,
    ended_at = NULL, stop_operation_id = NULL,
    joined_at = CASE WHEN participants.withdrawn_at IS NULL THEN participants.joined_at ELSE excluded.joined_at END,
    withdrawn_at = NULL;

-- As long as a person has no workspace, they count as having joined when they last pressed the button.
-- name: note_participant
INSERT INTO participants (id, card_id, principal, joined_at, waits_for)
VALUES (:id, :card_id, :principal, :now, :waits_for)
ON CONFLICT (card_id, principal) DO UPDATE SET
    waits_for = CASE WHEN participants.workspace_id IS NULL THEN excluded.waits_for ELSE '' END,
    joined_at = CASE WHEN participants.workspace_id IS NULL THEN excluded.joined_at ELSE participants.joined_at END,
    withdrawn_at = CASE WHEN participants.workspace_id IS NULL THEN NULL ELSE participants.withdrawn_at END;

-- name: class_counts
SELECT
    COUNT(*) FILTER (WHERE m.state <> 'left') AS joined,
    COUNT(*) FILTER (WHERE m.state <> 'left' AND m.account_id IS NOT NULL) AS linked,
    COUNT(*) FILTER (WHERE :is_on = 1 AND m.state <> 'left') AS expected,
    COUNT(*) FILTER (WHERE m.state = 'ready') AS ready,
    COUNT(*) FILTER (WHERE m.state = 'starting') AS starting,
    COUNT(*) FILTER (WHERE m.state = 'failed') AS failed,
    COUNT(*) FILTER (WHERE m.state = 'unlinked') AS unlinked,
    COUNT(*) FILTER (WHERE m.state = 'no_workspace') AS no_workspace,
    COUNT(*) FILTER (WHERE m.state = 'down') AS down,
    COUNT(*) FILTER (WHERE m.state = 'coming') AS coming,
    COUNT(*) FILTER (WHERE m.state = 'left') AS "left",
    COUNT(*) FILTER (WHERE m.state = 'no_room') AS no_room,
    COUNT(*) FILTER (WHERE m.state <> 'left' AND m.waits_for = 'unlinked') AS pending,
    COUNT(*) FILTER (WHERE m.withdrawn_at IS NOT NULL AND m.state <> 'left' AND s.id IS NULL) AS kept,
    COUNT(*) FILTER (WHERE s.id IS NOT NULL AND s.outcome IS NULL) AS stopping,
    COUNT(*) FILTER (WHERE s.outcome = 'fulfilled') AS stopped,
    COUNT(*) FILTER (WHERE s.outcome NOT IN ('fulfilled', 'replaced')
        OR (m.ended_at IS NOT NULL AND w.id IS NOT NULL)) AS not_stopped,
    COUNT(*) FILTER (WHERE :begins = 0.0 AND m.consented_at IS NOT NULL AND m.withdrawn_at IS NULL) AS consented,
    COUNT(*) FILTER (WHERE :begins = 0.0 AND m.consented_at IS NOT NULL AND m.withdrawn_at IS NULL
        AND m.ended_at IS NULL) AS unended
FROM ({in_lesson}) m
LEFT JOIN operations s ON s.id = m.stop_operation_id
-- A stop that was postponed still has its timer.
LEFT JOIN workspaces w ON w.id = m.workspace_id AND w.stop_card = m.card_id AND w.stop_at IS NOT NULL;

-- name: class_problems
SELECT m.* FROM ({in_lesson}) m
WHERE m.state IN ('starting', 'failed', 'no_room', 'unlinked', 'no_workspace')
ORDER BY m.joined_at, m.principal LIMIT :limit;

-- name: member_of
SELECT m.* FROM ({in_lesson} AND p.principal = :principal) m;

-- Members who won't have a workspace, or may no longer use the template, and haven't been told so for this lesson.
-- name: members_unserved
SELECT m.* FROM ({in_lesson} AND p.joined_at <= :joined_by) m
WHERE (m.state IN ('unlinked', 'no_workspace') OR (:is_made = 1 AND m.state = 'coming'))
    AND NOT EXISTS (
        SELECT 1 FROM notices n
        WHERE n.subject = m.card_id AND n.kind = 'lesson_not_ready' AND n.principal = m.principal
            AND n.occasion = (CAST(:local AS TEXT) || ':' || m.principal)
    )
ORDER BY m.principal;

-- A press that is waiting for a link is valid until the class or course ends, or for twelve hours if there is no end.
-- name: waiting_presses
SELECT 'press ' || p.card_id AS text FROM participants p JOIN class_cards c ON c.id = p.card_id
WHERE p.principal = :principal AND p.waits_for = 'unlinked' AND c.connection = :connection
    AND c.closed_at IS NULL AND c.done_at IS NULL
    AND COALESCE(c.stops_at, p.joined_at + 43200.0) > :now
ORDER BY p.joined_at, p.card_id;

-- People who agreed to the end of a class and have no timer that stops their workspace by then.
-- name: presses_to_end
SELECT * FROM participants p
WHERE p.card_id = :card_id AND p.consented_at IS NOT NULL AND p.ended_at IS NULL
-- guards: Nobody acts through another's account
    AND p.withdrawn_at IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM workspaces w WHERE w.id = p.workspace_id AND w.stop_card = p.card_id
        AND (w.stop_at <= :stops_at OR w.stop_warning IS NOT NULL)
    )
LIMIT :limit;

-- name: class_of_stop
SELECT c.* FROM participants p JOIN class_cards c ON c.id = p.card_id WHERE p.stop_operation_id = :operation_id;

-- name: withdraw_consent
UPDATE participants SET withdrawn_at = :now
WHERE card_id = :card_id AND principal = :principal AND consented_at IS NOT NULL AND withdrawn_at IS NULL
    AND ended_at IS NULL;

-- Count a press soon, but not before the counts may be redrawn again.
-- name: look_at_class
UPDATE class_cards SET next_check_at = CASE
    WHEN counted_at + :rest > :now THEN counted_at + :rest
    ELSE :now END
WHERE id = :id AND done_at IS NULL AND next_check_at > :now;

-- name: open_lesson
UPDATE participants SET due_at = :now WHERE id IN (
    SELECT id FROM participants
    WHERE card_id = :card_id AND lesson < :local AND due_at IS NULL AND workspace_id IS NOT NULL AND withdrawn_at IS NULL
        AND consented_at < :until
    ORDER BY joined_at, id LIMIT :limit
)
RETURNING id;

-- name: former_members
SELECT * FROM former_members WHERE card_id = :card_id ORDER BY id LIMIT :limit;

-- name: memberships
SELECT p.* FROM participants p CROSS JOIN class_cards c
WHERE p.principal = :principal AND p.workspace_id IS NOT NULL AND p.withdrawn_at IS NULL
    AND c.id = p.card_id AND c.days <> '' AND c.done_at IS NULL
ORDER BY p.joined_at, p.card_id;
