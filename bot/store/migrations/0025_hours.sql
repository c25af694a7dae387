-- Hours of workspaces: local times on days of the week, or on dates, in the zone of their person. settled_at: what was
-- planned up to then is settled; look_at: when a rule is looked at next, NULL while it is paused.
-- name, remote_id: of a workspace whose row an unlink deleted, so that it is found again.
CREATE TABLE rules (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    days TEXT NOT NULL,
    starts INTEGER,
    stops INTEGER,
    zone TEXT NOT NULL,
    seen_zone TEXT NOT NULL,
    settled_at DOUBLE PRECISION NOT NULL,
    agreed INTEGER NOT NULL DEFAULT 0,
    off TEXT NOT NULL DEFAULT '',
    paused TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    remote_id TEXT NOT NULL DEFAULT '',
    look_at DOUBLE PRECISION
);
CREATE INDEX rules_due ON rules (look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX rules_unlinked ON rules (settled_at) WHERE paused = 'unlinked';
CREATE INDEX rules_of_workspace ON rules (workspace_id);
CREATE INDEX rules_of_person ON rules (principal, connection, remote_id);

-- What became of each start and stop of a rule, by the local time that it was planned for.
CREATE TABLE occurrences (
    rule_id TEXT NOT NULL,
    local TEXT NOT NULL,
    side TEXT NOT NULL,
    became TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (rule_id, local, side)
);
CREATE INDEX occurrences_age ON occurrences (at);
