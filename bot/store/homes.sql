-- name: home_of_person
SELECT principal AS id FROM people
WHERE principal = :principal AND home_at IS NOT NULL AND principal > :after LIMIT :limit;

-- name: home_of_work_item
SELECT principal FROM undoable_actions WHERE work_item_id = :work_item_id AND channel_id = :place LIMIT 1;
