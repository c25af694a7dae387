-- name: was_asked
SELECT 1 AS found FROM undoable_actions
WHERE principal = :principal AND done_at >= :since AND subject = :subject AND initiator = '' LIMIT 1;

-- name: was_overtaken
SELECT 1 AS found FROM undoable_actions LEFT JOIN inbox ON inbox.key = undoable_actions.interaction
WHERE principal = :principal AND done_at >= :since AND subject = :subject AND initiator = ''
AND interaction <> :interaction AND coalesce(inbox.sent_at, done_at - :delivery) > :since LIMIT 1;

-- name: requests_of
SELECT * FROM undoable_actions
WHERE principal = :principal AND done_at > :since AND interaction = :interaction ORDER BY done_at, id;
