-- The thread's own first.
-- name: spoken
SELECT thread_ts, about, updated_at FROM conversations
WHERE principal = :principal AND channel_id = :channel_id AND thread_ts IN ('', :thread_ts) AND updated_at > :since
ORDER BY thread_ts DESC;

