-- oldest release that may serve: 0.1.0

-- What people had done, each with what it changed: the errand that it began, or what rows said before and said then
-- (JSON by column; '{}' for nothing). subject: the workspace or run, '' for neither. asker: what acted in its person's
-- name, '' for themself. channel_id, thread_ts, interaction: where it was asked for, '' where nobody asked. undone_at:
-- when its person took it back.
CREATE TABLE acts (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    done_at DOUBLE PRECISION NOT NULL,
    subject TEXT NOT NULL,
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    asker TEXT NOT NULL,
    errand TEXT NOT NULL,
    until DOUBLE PRECISION,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    thread_ts TEXT NOT NULL,
    interaction TEXT NOT NULL,
    undone_at DOUBLE PRECISION
);
CREATE INDEX acts_of_person ON acts (principal, done_at);
CREATE INDEX acts_age ON acts (done_at);
