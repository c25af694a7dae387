-- oldest release that may serve: 0.1.0

-- What 0.1.0 doesn't know, where it doesn't look: it takes whatever is due, and stops at a word that is new to it.
-- later_ts is the message of a card of such a kind ('' before it was sent; NULL for other kinds), in place of message_ts.
-- Notices of such kinds are in classes of their own.
ALTER TABLE cards ADD COLUMN later_ts TEXT;
CREATE INDEX cards_later ON cards (changed_at) WHERE is_dirty = 1 AND later_ts IS NOT NULL;
CREATE INDEX cards_of_later_threads ON cards (later_ts) WHERE later_ts IS NOT NULL;

CREATE TABLE later_tasks (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    joined TEXT,
    created_at DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    is_leased BIGINT NOT NULL DEFAULT 0,
    claimed_at DOUBLE PRECISION,
    is_replaced INTEGER NOT NULL DEFAULT 0,
    claims INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, subject)
);
CREATE INDEX later_tasks_due ON later_tasks (due_at);
