-- name: rules_left
SELECT * FROM rules WHERE paused = '' ORDER BY workspace_id, id LIMIT :limit;
