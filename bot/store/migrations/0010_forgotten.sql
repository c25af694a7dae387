-- oldest release that may serve: 0.1.0

-- Secrets that no key opened when their links were ended for that, sealed as they were, for a week: the key may turn up.
CREATE TABLE forgotten (
    account_id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    forgotten_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX forgotten_age ON forgotten (forgotten_at);
