-- Of the messages about a workspace or a run, the one that was sent last is live. Answers aren't messages that change
-- any more: what they said stays, and so do their buttons, which are checked when they are pressed.
DELETE FROM cards WHERE kind IN ('reply', 'shown');

DROP INDEX cards_number;
DROP INDEX cards_of_answers;
DROP INDEX cards_placed;
DROP INDEX cards_live;
DROP INDEX cards_changed;
DROP INDEX cards_former;
ALTER TABLE cards DROP COLUMN names;
ALTER TABLE cards DROP COLUMN number;

CREATE INDEX cards_changed ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND stage = 'live';
CREATE INDEX cards_former ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND stage <> 'live';

-- Slack takes one message a second in a conversation: what is urgent goes before answers.
CREATE INDEX notices_urgent ON notices (principal)
    WHERE kind IN ('ready', 'failed', 'refused') AND state IN ('pending', 'retry');

UPDATE cards SET stage = 'closing', is_dirty = 1, dirt = dirt + 1, changed_at = updated_at
WHERE stage = 'live' AND kind NOT IN ('class_card', 'asked', 'job_asked') AND message_ts < (
    SELECT MAX(c.message_ts) FROM cards c
    WHERE c.principal = cards.principal AND c.about = cards.about AND c.kind NOT IN ('class_card', 'asked', 'job_asked')
);
