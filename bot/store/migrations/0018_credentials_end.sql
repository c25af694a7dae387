-- ends_at: when the credential ends, as its provider said (NULL: never, or nobody said). remind_at: when its person is
-- reminded of that next.
ALTER TABLE links ADD COLUMN ends_at DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN ends_at DOUBLE PRECISION;
ALTER TABLE accounts ADD COLUMN remind_at DOUBLE PRECISION;
CREATE INDEX accounts_ending ON accounts (remind_at) WHERE remind_at IS NOT NULL;
