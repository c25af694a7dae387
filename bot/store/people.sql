-- name: save_person
INSERT INTO people {model} ON CONFLICT (principal) DO UPDATE SET {replaced}
WHERE excluded.seen_at >= people.seen_at OR people.seen_at > :now;

-- name: members
SELECT principal, name, handle, email FROM people
WHERE principal >= :place AND principal < :beyond
    AND is_deleted = 0 AND is_bot = 0 AND is_guest = 0 AND is_stranger = 0;

-- name: was_introduced
SELECT 1 AS is_known WHERE EXISTS (SELECT 1 FROM greetings WHERE principal = :principal)
    OR EXISTS (SELECT 1 FROM participants WHERE principal = :principal);

-- name: note_introduction
INSERT INTO greetings (principal, greeted_at)
SELECT CAST(:principal AS TEXT), CAST(:now AS DOUBLE PRECISION)
WHERE NOT EXISTS (SELECT 1 FROM participants WHERE principal = :principal)
ON CONFLICT DO NOTHING;
