-- name: some_rules_of
SELECT * FROM rules WHERE principal = :principal AND connection = :connection AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_rules_of_person
SELECT * FROM rules WHERE principal = :principal AND id > :after ORDER BY id LIMIT :limit;

-- name: rules_left
SELECT * FROM rules WHERE paused = '' ORDER BY workspace_id, id LIMIT :limit;
