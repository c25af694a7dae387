-- The audit's head is the row before its first one: one statement appends an entry, and lengthens the head.
INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash)
SELECT 0, 0.0, '', '', '', '', '' || count, '', hash FROM audit_head;
DROP TABLE audit_head;
-- How often a row was changed, by which a step sees whether it still is what it worked on.
ALTER TABLE operations ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
