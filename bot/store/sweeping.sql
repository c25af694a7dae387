-- These messages may keep buttons that no longer work. Pressing such a button gives the current state.
-- name: give_up_edits
UPDATE cards SET is_dirty = 0 WHERE id IN (
    SELECT id FROM cards
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NULL AND is_notice = 1 AND updated_at <= :before
    ORDER BY updated_at LIMIT :limit
);

-- Release 0.2 left behind updates that are due for messages that are no longer live.
-- name: give_up_former_edits
UPDATE cards SET is_dirty = 0 WHERE id IN (
    SELECT id FROM cards
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND stage <> 'live' AND changed_at <= :before
    ORDER BY changed_at LIMIT :limit
);

-- name: forgotten_operations
SELECT id FROM operations o
WHERE outcome IS NULL AND (SELECT w.id FROM workspaces w WHERE w.id = o.workspace_id) IS NULL LIMIT :limit;

-- name: delete_cards_of
DELETE FROM cards WHERE subject = :subject OR about = :subject;

-- name: some_run_people
SELECT DISTINCT principal AS id FROM runs WHERE principal > :after_id ORDER BY principal LIMIT :limit;

-- All but the 50 newest runs of some people, of which :ids has the keys. Open ones are kept.
-- name: surplus_runs
SELECT r.id FROM (
    SELECT one.key AS principal, (
        SELECT created_at FROM runs WHERE principal = one.key ORDER BY created_at DESC LIMIT 1 OFFSET 49
    ) AS since
    FROM json_each(:ids) one
) person
JOIN runs r ON r.principal = person.principal AND r.created_at < person.since
WHERE r.outcome IS NOT NULL;

-- name: sweep_ended_runs
DELETE FROM runs WHERE id IN (SELECT one.key FROM json_each(:ids) one) AND outcome IS NOT NULL RETURNING id;

-- name: some_workspaces
SELECT id FROM workspaces WHERE id > :after_id ORDER BY id LIMIT :limit;

-- A workspace with nothing pending: no operation, timer, hours, class or message.
-- name: gone_workspace
SELECT w.id FROM workspaces w
WHERE w.gone_confirmed_at < :before AND w.state = 'gone' AND w.stop_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM rules WHERE workspace_id = w.id AND paused = '')
    AND NOT EXISTS (
        SELECT 1 FROM participants seat JOIN class_cards lesson ON lesson.id = seat.card_id
        WHERE seat.workspace_id = w.id AND lesson.done_at IS NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM operations o LEFT JOIN notices n ON n.subject = o.id
        WHERE o.workspace_id = w.id AND (o.outcome IS NULL OR n.state IN ('pending', 'retry'))
    )
    AND NOT EXISTS (SELECT 1 FROM notices WHERE subject = w.id AND state IN ('pending', 'retry'))
ORDER BY w.gone_confirmed_at, w.id LIMIT 1;

-- name: sweep_all_operations_of
DELETE FROM operations WHERE workspace_id = :workspace_id RETURNING id;

-- name: surplus_operations
SELECT o.id FROM (
    SELECT one.key AS workspace_id, (
        SELECT created_at FROM operations WHERE workspace_id = one.key ORDER BY created_at DESC LIMIT 1 OFFSET 49
    ) AS since
    FROM json_each(:ids) one
) workspace
JOIN operations o ON o.workspace_id = workspace.workspace_id AND o.created_at < workspace.since
WHERE o.outcome IS NOT NULL;

-- name: sweep_ended_operations
DELETE FROM operations WHERE id IN (SELECT one.key FROM json_each(:ids) one) AND outcome IS NOT NULL RETURNING id;

-- name: some_gates
SELECT gate_key AS id FROM gates WHERE gate_key > :after_id ORDER BY gate_key LIMIT :limit;

-- name: unwatched_gates
SELECT g.gate_key AS id FROM json_each(:ids) one
JOIN gates g ON g.gate_key = one.key
WHERE g.next_check_at < :before
    AND (SELECT w.id FROM workspaces w WHERE w.gate_key = g.gate_key LIMIT 1) IS NULL;

-- name: sweep_gate
DELETE FROM gates WHERE gate_key = :gate_key AND next_check_at < :before AND NOT EXISTS (
    SELECT 1 FROM workspaces w WHERE w.gate_key = :gate_key
);

-- name: sweep_class_cards
DELETE FROM class_cards WHERE id IN (
    SELECT id FROM class_cards WHERE created_at < :before AND (days = '' OR done_at < :before)
    AND NOT EXISTS (SELECT 1 FROM participants p WHERE p.card_id = class_cards.id)
    ORDER BY created_at LIMIT :limit
)
RETURNING id;

-- name: sweep_presses
DELETE FROM participants WHERE (card_id, principal) IN (
    SELECT p.card_id, p.principal FROM participants p JOIN class_cards c ON c.id = p.card_id
    WHERE c.created_at < :before AND (c.days = '' OR c.done_at < :before) ORDER BY c.created_at LIMIT :limit
);
