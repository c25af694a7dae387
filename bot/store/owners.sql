-- name: own
INSERT INTO owners (name, owner, until, release) VALUES (:name, :owner, :until, :release)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, release = excluded.release
WHERE owners.owner = excluded.owner OR owners.until <= :now
RETURNING name;

-- name: renew_owned
UPDATE owners SET until = :until WHERE owner = :owner RETURNING name;

-- name: owned
SELECT name, owner, until, release FROM owners WHERE until > :now ORDER BY name;
