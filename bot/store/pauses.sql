-- name: pauses
SELECT * FROM pauses WHERE paused_until > :now OR requested_at > :requested_before;

-- name: delete_old_pauses
DELETE FROM pauses WHERE (connection, calls, account_id) IN (
    SELECT connection, calls, account_id FROM pauses WHERE paused_until <= :now AND requested_at <= :before LIMIT :limit
);

-- name: save_pause
INSERT INTO pauses (connection, calls, account_id, requested_at, paused_until)
VALUES (:connection, :calls, :account_id, :now, :until)
ON CONFLICT (connection, calls, account_id) DO UPDATE SET
    requested_at = excluded.requested_at,
    paused_until = CASE
        WHEN pauses.paused_until > excluded.paused_until THEN pauses.paused_until ELSE excluded.paused_until END;
