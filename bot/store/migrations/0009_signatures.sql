-- The signatures of Slack's requests, some of each end to end, in a row for about each second that had any: the same
-- bytes are refused by a process that was started since, too.
CREATE TABLE signatures (
    id TEXT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    signatures TEXT NOT NULL
);
CREATE INDEX signatures_seen ON signatures (seen_at);
