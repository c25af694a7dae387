-- The audit's head is the row before its first one: one statement appends an entry, and lengthens the head.
INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash)
SELECT 0, 0.0, '', '', '', '', '' || count, '', hash FROM audit_head;
DROP TABLE audit_head;
