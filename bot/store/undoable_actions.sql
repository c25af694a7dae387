-- name: was_asked
SELECT 1 AS found FROM undoable_actions
WHERE principal = :principal AND done_at >= :since AND subject = :subject AND initiator = '' LIMIT 1;

-- Whether a message other than the answer says how something goes on, or ended.
-- name: shown
SELECT 1 AS found FROM cards
WHERE subject = :subject AND created_at >= :since AND (is_notice = 0 OR kind IN {END}) AND message_ts IS NOT NULL LIMIT 1;

-- In the thread first, then in its conversation; of each the newest.
-- name: recent_actions
SELECT * FROM undoable_actions
WHERE principal = :principal AND done_at > :since AND undone_at IS NULL
ORDER BY
    CASE WHEN channel_id <> :channel_id THEN 2 WHEN thread_ts <> :thread_ts THEN 1 ELSE 0 END,
    done_at DESC, id DESC;

-- name: actions_since
SELECT * FROM undoable_actions WHERE principal = :principal AND done_at >= :since ORDER BY done_at DESC, id DESC LIMIT 100;
