-- archived: the last entry that was moved to an archive and its hash, from which the chain goes on (0: none).
ALTER TABLE audit_head ADD COLUMN archived BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN archived_hash TEXT NOT NULL DEFAULT '';
