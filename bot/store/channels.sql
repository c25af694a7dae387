-- name: rows_of_channel
SELECT * FROM (
    SELECT 'cards' AS holder, id, 'channel_id' AS holds, '' AS said FROM cards
        WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'class_cards', id, 'channel_id', '' FROM class_cards WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'notices', id, 'channel_id', '' FROM notices WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'operations', id, 'channel_id', '' FROM operations WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'runs', id, 'channel_id', '' FROM runs WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'undoable_actions', id, 'channel_id', '' FROM undoable_actions WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'notices', id, 'body', body FROM notices WHERE body LIKE :holding AND principal LIKE :within
    UNION ALL SELECT 'links', nonce_hash, 'deferred_command', deferred_command FROM links
        WHERE deferred_command LIKE :holding AND principal LIKE :within
    UNION ALL SELECT 'approvals', id, 'deferred_command', deferred_command FROM approvals
        WHERE deferred_command LIKE :holding AND principal LIKE :within
    UNION ALL SELECT 'tasks', id, 'payload', payload FROM tasks WHERE payload LIKE :holding AND payload LIKE :theirs
) AS found ORDER BY holder, id, holds LIMIT :limit;

-- name: message_in_channel
SELECT message_ts FROM cards WHERE channel_id = :channel AND message_ts IS NOT NULL LIMIT 1;
