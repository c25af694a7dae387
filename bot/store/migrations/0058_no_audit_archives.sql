-- Nothing leaves the audit any more: where a chain begins that was archived before is said by its first row.
ALTER TABLE audit_head DROP COLUMN archived;
ALTER TABLE audit_head DROP COLUMN archived_hash;
