-- What holds something up is a code with a detail, no sentence: the next step of what is open writes it.
UPDATE operations SET block_reason = NULL, read_block_reason = NULL, delayed_by = '';
UPDATE runs SET block_reason = NULL;
-- Why a message isn't sent yet is a code, too; what it had besides has columns. What waits for a read begins to wait
-- anew. is_text: Slack has refused its blocks. read_since: since when it waits for a read; tried_at: when it was last
-- tried meanwhile, as Slack was away.
ALTER TABLE notices ADD COLUMN is_text BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN read_since DOUBLE PRECISION;
ALTER TABLE notices ADD COLUMN tried_at DOUBLE PRECISION;
UPDATE notices SET is_text = 1 WHERE error LIKE '%as text: %';
UPDATE notices SET error = 'to be read' WHERE error LIKE 'to be read:%';
UPDATE notices SET error = SUBSTR(error, LENGTH('as text: ') + 1) WHERE error LIKE 'as text: %';
