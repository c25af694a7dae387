-- What a person can still press is looked through whenever another message is posted.
CREATE INDEX cards_live ON cards (principal) WHERE stage = 'live';

-- What tells what was held says when it was, and is drawn once. Those that offered something lose their buttons.
UPDATE cards SET stage = 'closing', is_dirty = 1, dirt = dirt + 1, changed_at = updated_at
WHERE kind = 'held' AND message_ts IS NOT NULL;
DELETE FROM cards WHERE kind = 'held' AND message_ts IS NULL;
UPDATE notices SET body = '{}' WHERE held_by IS NOT NULL AND state = 'sent';
