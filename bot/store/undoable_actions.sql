-- name: was_asked
SELECT 1 AS found FROM undoable_actions
WHERE principal = :principal AND done_at >= :since AND subject = :subject AND initiator = '' LIMIT 1;

-- In the thread first, then in its conversation; of each the newest.
-- name: recent_actions
SELECT * FROM undoable_actions
WHERE principal = :principal AND done_at > :since
ORDER BY
    CASE WHEN channel_id <> :channel_id THEN 2 WHEN thread_ts <> :thread_ts THEN 1 ELSE 0 END,
    done_at DESC, id DESC;
