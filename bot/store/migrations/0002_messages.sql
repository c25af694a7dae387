-- A card is from now on any message that offers something: the card of an operation, run or class, and the notices
-- about it. about: the workspace, run or class that it offers something for; number: its place among those of the
-- same. stage: live ones are redrawn; once newer ones were sent, the ones before are closing, until they have lost
-- their buttons. body: what a notice is redrawn from, besides rows. name: what its workspace was called, once that
-- is deleted. Indexes of claims: what comes first, and what waits for it.
--
-- episode counts how often a workspace was brought up. Buttons carry it, so that one of an earlier time is known.
ALTER TABLE workspaces ADD COLUMN episode BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cards ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE cards ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cards ADD COLUMN is_notice BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cards ADD COLUMN stage TEXT NOT NULL DEFAULT 'live' CHECK (stage IN ('live', 'closing', 'closed'));
ALTER TABLE cards ADD COLUMN body TEXT NOT NULL DEFAULT '{}';
ALTER TABLE cards ADD COLUMN name TEXT;
ALTER TABLE cards ADD COLUMN created_at DOUBLE PRECISION NOT NULL DEFAULT 0;

UPDATE cards SET
    about = COALESCE((SELECT workspace_id FROM operations o WHERE o.id = cards.subject), subject),
    is_notice = CASE WHEN kind IN ('asked', 'job_asked') THEN 1 ELSE 0 END,
    created_at = updated_at;

-- Notices of the last week that have been sent: they lose their buttons, and the cards keep theirs.
INSERT INTO cards (
    id, subject, kind, principal, channel_id, message_ts, is_dirty, dirt, changed_at, updated_at, about, is_notice,
    stage, created_at
)
SELECT
    n.id, n.subject, n.kind, n.principal, n.channel_id, n.message_ts, 1, 1, n.sent_at, n.sent_at, o.workspace_id, 1,
    'closing', n.created_at
FROM notices n JOIN operations o ON o.id = n.subject
WHERE n.state = 'sent' AND n.message_ts IS NOT NULL AND n.channel_id IS NOT NULL
    AND n.kind IN ('ready', 'suspended', 'failed', 'stopped', 'refused', 'waiting')
    AND n.sent_at > (SELECT MAX(x.sent_at) FROM notices x WHERE x.state = 'sent') - 604800;

-- So do the cards that aren't their workspace's newest; the newest is drawn again.
UPDATE cards SET
    is_dirty = 1, dirt = dirt + 1, changed_at = updated_at,
    stage = CASE
        WHEN kind = 'card' AND EXISTS (
            SELECT 1 FROM operations o JOIN operations x ON x.workspace_id = o.workspace_id
            WHERE o.id = cards.subject
                AND (x.created_at > o.created_at OR (x.created_at = o.created_at AND x.id > o.id))
        ) THEN 'closing'
        ELSE 'live' END
WHERE is_notice = 0 AND message_ts IS NOT NULL
    AND updated_at > (SELECT MAX(x.updated_at) FROM cards x) - 604800;

DROP INDEX cards_changed;
DROP INDEX cards_progressed;
CREATE INDEX cards_changed ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND is_notice = 0 AND stage = 'live';
CREATE INDEX cards_former ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL
        AND (is_notice = 1 OR stage <> 'live');
CREATE INDEX cards_progressed ON cards (updated_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NULL;
CREATE INDEX cards_about ON cards (about);
CREATE INDEX cards_of_a_subject ON cards (subject);
