-- busy_since: since when the call of an operation or a run has been refused because its provider is busy; retry_at:
-- when it may be sent again. failed_at: the first read since its call that found a workspace failed as before it.
ALTER TABLE operations ADD COLUMN busy_since DOUBLE PRECISION;
ALTER TABLE operations ADD COLUMN retry_at DOUBLE PRECISION;
ALTER TABLE operations ADD COLUMN failed_at DOUBLE PRECISION;
ALTER TABLE runs ADD COLUMN busy_since DOUBLE PRECISION;
ALTER TABLE runs ADD COLUMN retry_at DOUBLE PRECISION;
