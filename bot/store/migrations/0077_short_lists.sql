-- SQLite fills a temporary table for a list of more than two words, each time that a row is written or looked for.
DROP INDEX notices_due;
CREATE INDEX notices_due ON notices (urgency, due_at) WHERE state NOT IN ('sent', 'dead');
DROP INDEX notices_owed;
CREATE INDEX notices_owed ON notices (principal, due_at) WHERE state NOT IN ('sent', 'dead');
DROP INDEX notices_urgent;
CREATE INDEX notices_urgent ON notices (principal)
    WHERE (kind = 'ready' OR kind = 'failed' OR kind = 'refused') AND state IN ('pending', 'retry');
