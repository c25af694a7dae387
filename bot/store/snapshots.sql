-- name: save_snapshot
INSERT INTO snapshots {model} ON CONFLICT (connection, owner, kind) DO UPDATE SET {replaced}
WHERE excluded.read_at >= snapshots.read_at;
