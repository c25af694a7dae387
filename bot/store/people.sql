-- name: save_person
INSERT INTO people {model} ON CONFLICT (principal) DO UPDATE SET {replaced}
WHERE excluded.seen_at >= people.seen_at OR people.seen_at > :now;

-- name: mondays_of
SELECT principal, due_at FROM usage_mondays WHERE principal IN (SELECT one.key FROM json_each(:people) one);

-- name: members
SELECT principal, name, handle, email FROM people
WHERE principal >= :place AND principal < :beyond
    AND is_deleted = 0 AND is_bot = 0 AND is_guest = 0 AND is_stranger = 0;
