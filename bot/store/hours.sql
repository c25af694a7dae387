-- name: some_rules_of
SELECT * FROM rules WHERE principal = :principal AND connection = :connection AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_rules_of_person
SELECT * FROM rules WHERE principal = :principal AND id > :after ORDER BY id LIMIT :limit;

-- name: members_behind
SELECT * FROM rules
WHERE card = :card AND (follows <> :state OR heard <> :state OR lead <> :lead OR :is_over = 1)
ORDER BY id LIMIT :limit;

-- name: rules_left
SELECT * FROM rules WHERE paused = '' ORDER BY workspace_id, id LIMIT :limit;

-- A press is counted soon, but not before the counts may be redrawn.
-- name: look_at_class
UPDATE class_cards SET look_at = CASE
    WHEN counted_at + :rest > :now THEN counted_at + :rest
    ELSE :now END
WHERE id = :id AND done_at IS NULL AND look_at > :now;
