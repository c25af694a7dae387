-- What people call each connection, also once it isn't set up any more.
CREATE TABLE connections (
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL DEFAULT ''
);

-- Requests that wait already are followed up like new ones.
INSERT INTO tasks (id, kind, subject, payload, created_at, due_at)
SELECT 'follow_up_' || id, 'follow_up', id, '{}', asked_at, asked_at FROM approvals WHERE state = 'asked';
