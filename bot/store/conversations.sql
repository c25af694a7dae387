-- Prefer what was said in the thread itself.
-- name: spoken
SELECT thread_ts, about, updated_at FROM conversations
WHERE principal = :principal AND channel_id = :channel_id AND thread_ts IN ('', :thread_ts) AND updated_at > :since
ORDER BY thread_ts DESC;

-- name: card_of_thread
SELECT kind, about FROM cards
WHERE principal = :principal AND channel_id = :channel_id AND message_ts = :thread_ts
    AND kind NOT IN {IN_CHANNEL} AND kind NOT IN ('reply', 'message')
LIMIT 1;

-- name: done_since
SELECT subject, kind, done_at FROM undoable_actions
WHERE principal = :principal AND channel_id = :channel_id AND done_at > :since
ORDER BY done_at DESC LIMIT 1;
