-- name: pauses
SELECT * FROM pauses WHERE until > :now OR noted_at > :noted_before;

-- name: forget_pauses
DELETE FROM pauses WHERE (connection, calls, who) IN (
    SELECT connection, calls, who FROM pauses WHERE until <= :now AND noted_at <= :before LIMIT :limit
);

-- name: note_pause
INSERT INTO pauses (connection, calls, who, noted_at, until) VALUES (:connection, :calls, :who, :now, :until)
ON CONFLICT (connection, calls, who) DO UPDATE SET
    noted_at = excluded.noted_at,
    until = CASE WHEN pauses.until > excluded.until THEN pauses.until ELSE excluded.until END;
