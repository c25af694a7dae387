-- name: home_of_person
SELECT principal AS id FROM people
WHERE principal = :principal AND home_at IS NOT NULL AND principal > :after LIMIT :limit;
