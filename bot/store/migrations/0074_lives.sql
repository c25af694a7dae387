-- What ran, and from when to when as far as is known (bot/domain/usage.py): the lives of workspaces and runs. subject is
-- the gate of a workspace or the id of a run, of which one lives at a time.
CREATE TABLE lives (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('workspace', 'run')),
    subject TEXT NOT NULL,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    workspace_id TEXT,
    name TEXT NOT NULL,
    size TEXT,
    template TEXT,
    began_earliest DOUBLE PRECISION NOT NULL,
    began_latest DOUBLE PRECISION NOT NULL,
    began_known TEXT NOT NULL,
    ended_earliest DOUBLE PRECISION,
    ended_latest DOUBLE PRECISION,
    ended_known TEXT,
    last_seen_at DOUBLE PRECISION NOT NULL,
    opened_at DOUBLE PRECISION,
    used_at DOUBLE PRECISION,
    price TEXT,
    currency TEXT,
    CHECK (began_earliest <= began_latest AND ended_earliest <= ended_latest),
    CHECK (began_earliest <= ended_earliest AND began_latest <= ended_latest),
    CHECK ((ended_earliest IS NULL) = (ended_latest IS NULL) AND (ended_earliest IS NULL) = (ended_known IS NULL))
);
CREATE UNIQUE INDEX lives_open ON lives (subject) WHERE ended_latest IS NULL;
CREATE INDEX lives_of_workspace ON lives (workspace_id, began_earliest);
CREATE INDEX lives_of_subject ON lives (subject, began_latest);
CREATE INDEX lives_of_person ON lives (principal, began_earliest);
CREATE INDEX lives_ended ON lives (ended_latest, id) WHERE ended_latest IS NOT NULL;
-- What is left of lives that are too old: hours and money of a month, without persons.
CREATE TABLE usage_sums (
    month TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    template TEXT NOT NULL,
    currency TEXT NOT NULL,
    lives BIGINT NOT NULL,
    hours DOUBLE PRECISION NOT NULL,
    lowest DOUBLE PRECISION NOT NULL,
    highest DOUBLE PRECISION NOT NULL,
    unknown BIGINT NOT NULL,
    cost DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (month, connection, kind, template, currency)
);
-- When a read last showed a workspace down, until one shows it running.
ALTER TABLE workspaces ADD COLUMN down_seen_at DOUBLE PRECISION;
-- What runs just now. Past lives are read from the audit later: how far that has come is in upkeep.
INSERT INTO lives (
    id, kind, subject, principal, connection, workspace_id, name, began_earliest, began_latest, began_known, last_seen_at
)
SELECT 'life_' || w.id, 'workspace', w.gate_key, w.principal, w.connection, w.id, COALESCE(w.alias, w.name),
    COALESCE(w.started_at, w.running_since), COALESCE(w.started_at, w.running_since),
    CASE WHEN w.started_at IS NULL THEN 'unknown' ELSE 'told' END, COALESCE(w.up_at, w.running_since)
FROM workspaces w
WHERE w.state = 'running' AND w.running_since IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM workspaces o
    WHERE o.gate_key = w.gate_key AND o.state = 'running' AND o.running_since IS NOT NULL AND o.id < w.id
);
INSERT INTO tasks (id, kind, subject, payload, created_at, due_at)
SELECT 'task_past_lives', 'fan_out', 'task_past_lives',
    '{"what": "past_lives", "stage": 0, "after": "", "last": ' || detail || '}', 0.0, 0.0
FROM audit WHERE seq = 0 AND detail <> '0';
