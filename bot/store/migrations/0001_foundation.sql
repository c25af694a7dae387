-- Everything that must outlive the process. Portable between SQLite and PostgreSQL: text ids made by us, times as
-- epoch seconds, truth values as 0 and 1. A gate outlives its watchers, so the gap between two reads holds across
-- an unlink and a new link.

CREATE TABLE inbox (
    key TEXT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    result TEXT NOT NULL DEFAULT ''
);
CREATE INDEX inbox_age ON inbox (seen_at);

CREATE TABLE people (
    principal TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    is_guest BIGINT NOT NULL,
    is_bot BIGINT NOT NULL,
    is_deleted BIGINT NOT NULL,
    is_stranger BIGINT NOT NULL,
    time_zone TEXT,
    seen_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE direct_channels (
    principal TEXT PRIMARY KEY,
    channel_id TEXT NOT NULL
);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    username TEXT NOT NULL,
    secret TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'refused', 'revoking')),
    linked_at DOUBLE PRECISION NOT NULL,
    discovered_at DOUBLE PRECISION,
    unlinked_at DOUBLE PRECISION
);
-- An account that is being revoked stands beside its successor until the provider was told.
CREATE UNIQUE INDEX accounts_one_of_a_pair ON accounts (principal, connection) WHERE state <> 'revoking';
CREATE UNIQUE INDEX accounts_one_of_a_username ON accounts (connection, username)
    WHERE state <> 'revoking' AND username <> '';
CREATE INDEX accounts_of_a_pair ON accounts (principal, connection);

CREATE TABLE links (
    nonce_hash TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    waiting TEXT,
    created_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('open', 'checked', 'code', 'used')),
    tries_left BIGINT NOT NULL,
    secret TEXT,
    username TEXT,
    code_hash TEXT,
    code_tries_left BIGINT NOT NULL,
    browser_hash TEXT,
    proven BIGINT NOT NULL
);
CREATE INDEX links_of_a_pair ON links (principal, connection);
CREATE INDEX links_expiry ON links (expires_at);

-- The poll gate. due_at: when somebody wants a read (NULL: nobody). next_check_at: when one may leave at the
-- earliest; written by claims alone. claimed_at: when the last one was granted, to the account "reader".
-- wanted_at: when a read was last asked for, so that one already under way does not pass for the answer.
CREATE TABLE gates (
    gate_key TEXT PRIMARY KEY,
    connection TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    due_at DOUBLE PRECISION,
    next_check_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    claimed_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    wanted_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    reader TEXT NOT NULL DEFAULT ''
);
CREATE INDEX gates_due ON gates (connection, due_at) WHERE due_at IS NOT NULL;

-- One person's view of one workspace. tried_at: when a read was last made with this person's own account.
CREATE TABLE workspaces (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    gate_key TEXT NOT NULL REFERENCES gates (gate_key),
    name TEXT NOT NULL,
    alias TEXT,
    state TEXT NOT NULL,
    url TEXT,
    detail TEXT,
    progress BIGINT,
    observed_at DOUBLE PRECISION,
    verified_at DOUBLE PRECISION,
    used_at DOUBLE PRECISION,
    origin TEXT NOT NULL CHECK (origin IN ('discovered', 'added')),
    hidden BIGINT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    tried_at DOUBLE PRECISION,
    UNIQUE (principal, connection, remote_id)
);
CREATE INDEX workspaces_of_a_gate ON workspaces (gate_key);

-- People write what they want; steps write how far it has come; reads write read_hold and wake it.
-- leased_until and claim belong to the step under way; woken is what happened during it. is_orphan: its workspace
-- was deleted; it stays for a while, as its card and its notices are still drawn from it.
CREATE TABLE operations (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    connection TEXT NOT NULL,
    verb TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    deadline_at DOUBLE PRECISION,
    deadline_number BIGINT NOT NULL DEFAULT 1,
    start_call TEXT NOT NULL DEFAULT 'none',
    stop_call TEXT NOT NULL DEFAULT 'none',
    called_at DOUBLE PRECISION,
    read_since DOUBLE PRECISION,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_step_at DOUBLE PRECISION NOT NULL,
    outcome TEXT,
    cause TEXT,
    ended_at DOUBLE PRECISION,
    progress_floor BIGINT NOT NULL DEFAULT 0,
    hold TEXT,
    read_hold TEXT,
    reference TEXT NOT NULL,
    waits_for TEXT NOT NULL DEFAULT 'time' CHECK (waits_for IN ('read', 'change', 'time')),
    woken BIGINT NOT NULL DEFAULT 0,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    claim TEXT NOT NULL DEFAULT '',
    is_orphan BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX operations_one_open ON operations (workspace_id) WHERE outcome IS NULL;
CREATE INDEX operations_due ON operations (next_step_at) WHERE outcome IS NULL;
CREATE INDEX operations_of_a_workspace ON operations (workspace_id, created_at);
CREATE INDEX operations_of_a_person ON operations (principal, connection) WHERE outcome IS NULL;
CREATE INDEX operations_orphaned ON operations (ended_at) WHERE is_orphan = 1;

-- The outbox. due_at of a leased notice is when its lease ends; leased_at is when its attempt began.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    occasion TEXT NOT NULL,
    principal TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'sent', 'retry', 'dead')),
    class BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    created_at DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    leased_at DOUBLE PRECISION,
    sent_at DOUBLE PRECISION,
    unknown_since DOUBLE PRECISION,
    channel_id TEXT,
    message_ts TEXT,
    error TEXT,
    UNIQUE (subject, kind, occasion)
);
CREATE INDEX notices_due ON notices (class, due_at) WHERE state IN ('pending', 'retry', 'leased');
CREATE INDEX notices_dead ON notices (created_at) WHERE state = 'dead';
CREATE INDEX notices_sent ON notices (sent_at) WHERE state = 'sent';

-- Updates of cards are owed, not queued. dirt counts what made it dirty, claimed_dirt how much of it was claimed.
CREATE TABLE cards (
    operation_id TEXT PRIMARY KEY REFERENCES operations (id) ON DELETE CASCADE,
    principal TEXT NOT NULL,
    channel_id TEXT,
    message_ts TEXT,
    is_dirty BIGINT NOT NULL DEFAULT 0,
    dirt BIGINT NOT NULL DEFAULT 0,
    claimed_dirt BIGINT NOT NULL DEFAULT 0,
    changed_at DOUBLE PRECISION,
    updated_at DOUBLE PRECISION NOT NULL,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0
);
CREATE INDEX cards_changed ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL;
CREATE INDEX cards_progressed ON cards (updated_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NULL;

-- joined: the payload of what was asked for while the task was under way; it runs once more with that.
CREATE TABLE tasks (
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
    UNIQUE (kind, subject)
);
CREATE INDEX tasks_due ON tasks (due_at);

CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at DOUBLE PRECISION NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    result TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
-- How long the chain is and how it ends, so that a cut is found.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    count BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (id, count, hash) VALUES (1, 0, '');
