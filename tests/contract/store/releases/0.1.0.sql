-- A database of 0.1.0 with some rows, for both engines: what later releases bring up to date. It is never changed.

CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL);

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
    unlinked_at DOUBLE PRECISION,
    refused_since DOUBLE PRECISION,
    refused_for DOUBLE PRECISION NOT NULL DEFAULT 0,
    looked_at DOUBLE PRECISION,
    runs_read_at DOUBLE PRECISION,
    ends_at DOUBLE PRECISION,
    remind_at DOUBLE PRECISION,
    renamed_to TEXT
);
CREATE UNIQUE INDEX accounts_one_of_a_pair ON accounts (principal, connection) WHERE state <> 'revoking';
CREATE UNIQUE INDEX accounts_one_of_a_username ON accounts (connection, username)
    WHERE state <> 'revoking' AND username <> '';
CREATE INDEX accounts_of_a_pair ON accounts (principal, connection);
CREATE INDEX accounts_suspected ON accounts (connection) WHERE refused_since IS NOT NULL;
CREATE INDEX accounts_ending ON accounts (remind_at) WHERE remind_at IS NOT NULL;

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
    proven BIGINT NOT NULL,
    ends_at DOUBLE PRECISION
);
CREATE INDEX links_of_a_pair ON links (principal, connection);
CREATE INDEX links_expiry ON links (expires_at);

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
    up_at DOUBLE PRECISION,
    doubt TEXT,
    doubt_times BIGINT NOT NULL DEFAULT 0,
    doubt_since DOUBLE PRECISION,
    spec TEXT,
    actions TEXT,
    ends_at DOUBLE PRECISION,
    ends_how TEXT,
    is_kept BIGINT,
    entry TEXT,
    remark TEXT,
    episode BIGINT NOT NULL DEFAULT 0,
    stop_at DOUBLE PRECISION,
    stop_mode TEXT,
    stop_agreed BIGINT NOT NULL DEFAULT 0,
    stop_warned BIGINT NOT NULL DEFAULT 0,
    stop_look_at DOUBLE PRECISION,
    tells_ready BIGINT,
    tells_stopped BIGINT,
    at_stake TEXT,
    last_used_at DOUBLE PRECISION,
    started_at DOUBLE PRECISION,
    left_look_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    UNIQUE (principal, connection, remote_id)
);
CREATE INDEX workspaces_of_a_gate ON workspaces (gate_key);
CREATE INDEX workspaces_ending ON workspaces (ends_at) WHERE ends_at IS NOT NULL AND hidden = 0;
CREATE INDEX workspaces_timed ON workspaces (stop_look_at) WHERE stop_look_at IS NOT NULL;
CREATE INDEX workspaces_left ON workspaces (left_look_at)
    WHERE state = 'running' AND stop_at IS NULL AND ends_at IS NULL AND hidden = 0;

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
    sent_at DOUBLE PRECISION,
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
    is_orphan BIGINT NOT NULL DEFAULT 0,
    channel_id TEXT,
    unknown_since DOUBLE PRECISION,
    called_from TEXT,
    prior_call TEXT NOT NULL DEFAULT 'none',
    prior_at DOUBLE PRECISION,
    asked_at DOUBLE PRECISION,
    held_since DOUBLE PRECISION,
    agreed BIGINT NOT NULL DEFAULT 0,
    planned_for DOUBLE PRECISION,
    start_kind TEXT,
    usual_seconds DOUBLE PRECISION,
    slow_seconds DOUBLE PRECISION
);
CREATE UNIQUE INDEX operations_one_open ON operations (workspace_id) WHERE outcome IS NULL;
CREATE INDEX operations_due ON operations (next_step_at) WHERE outcome IS NULL;
CREATE INDEX operations_of_a_workspace ON operations (workspace_id, created_at);
CREATE INDEX operations_of_a_person ON operations (principal, connection) WHERE outcome IS NULL;
CREATE INDEX operations_orphaned ON operations (ended_at) WHERE is_orphan = 1;
CREATE INDEX operations_failed ON operations (connection, ended_at) WHERE outcome = 'failed';
CREATE INDEX operations_creating ON operations (connection, called_at) WHERE verb = 'create' AND called_at IS NOT NULL;
CREATE INDEX operations_uncalled ON operations (connection, created_at) WHERE outcome IS NULL AND start_call = 'none';
CREATE INDEX operations_starting ON operations (created_at)
    WHERE outcome IS NULL AND verb IN ('start', 'restart', 'create');
CREATE INDEX operations_of_a_kind ON operations (start_kind, ended_at)
    WHERE start_kind IS NOT NULL AND outcome = 'fulfilled';

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
    held_until DOUBLE PRECISION,
    held_by TEXT,
    UNIQUE (subject, kind, occasion)
);
CREATE INDEX notices_due ON notices (class, due_at) WHERE state IN ('pending', 'retry', 'leased');
CREATE INDEX notices_dead ON notices (created_at) WHERE state = 'dead';
CREATE INDEX notices_sent ON notices (sent_at) WHERE state = 'sent';
CREATE INDEX notices_held_by ON notices (held_by) WHERE held_by IS NOT NULL;
CREATE INDEX notices_holding ON notices (principal) WHERE kind = 'held' AND state = 'pending';
CREATE INDEX notices_urgent ON notices (principal)
    WHERE kind IN ('ready', 'failed', 'refused') AND state IN ('pending', 'retry');

CREATE TABLE cards (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    principal TEXT NOT NULL,
    channel_id TEXT,
    message_ts TEXT,
    is_dirty BIGINT NOT NULL DEFAULT 0,
    dirt BIGINT NOT NULL DEFAULT 0,
    claimed_dirt BIGINT NOT NULL DEFAULT 0,
    changed_at DOUBLE PRECISION,
    updated_at DOUBLE PRECISION NOT NULL,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    about TEXT NOT NULL DEFAULT '',
    is_notice BIGINT NOT NULL DEFAULT 0,
    stage TEXT NOT NULL DEFAULT 'live' CHECK (stage IN ('live', 'closing', 'closed')),
    body TEXT NOT NULL DEFAULT '{}',
    name TEXT,
    created_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    drawn TEXT NOT NULL DEFAULT '',
    claimed_drawn TEXT NOT NULL DEFAULT ''
);
CREATE INDEX cards_progressed ON cards (updated_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NULL;
CREATE INDEX cards_about ON cards (about);
CREATE INDEX cards_of_a_subject ON cards (subject);
CREATE INDEX cards_changed ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND stage = 'live';
CREATE INDEX cards_former ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND stage <> 'live';
CREATE INDEX cards_of_threads ON cards (message_ts) WHERE message_ts IS NOT NULL;

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
    is_replaced INTEGER NOT NULL DEFAULT 0,
    claims INTEGER NOT NULL DEFAULT 0,
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

CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    count BIGINT NOT NULL,
    hash TEXT NOT NULL,
    archived BIGINT NOT NULL DEFAULT 0,
    archived_hash TEXT NOT NULL DEFAULT ''
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    reference TEXT NOT NULL,
    remote_id TEXT,
    state TEXT NOT NULL,
    exit_code BIGINT,
    detail TEXT,
    started_at DOUBLE PRECISION,
    finished_at DOUBLE PRECISION,
    observed_at DOUBLE PRECISION,
    start_call TEXT NOT NULL,
    stop_wanted TEXT NOT NULL DEFAULT '' CHECK (stop_wanted IN ('', 'stop', 'force')),
    stop_call TEXT NOT NULL DEFAULT 'none',
    called_at DOUBLE PRECISION,
    sent_at DOUBLE PRECISION,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_step_at DOUBLE PRECISION NOT NULL,
    outcome TEXT CHECK (outcome IN ('ended', 'failed', 'cancelled')),
    cause TEXT,
    ended_at DOUBLE PRECISION,
    hold TEXT,
    channel_id TEXT,
    is_watched BIGINT NOT NULL,
    output_ts TEXT,
    woken BIGINT NOT NULL DEFAULT 0,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    claim TEXT NOT NULL DEFAULT '',
    is_orphan BIGINT NOT NULL DEFAULT 0,
    unknown_since DOUBLE PRECISION,
    asked_at DOUBLE PRECISION,
    held_since DOUBLE PRECISION,
    deadline_at DOUBLE PRECISION,
    deadline_number BIGINT NOT NULL DEFAULT 0,
    doubt TEXT,
    doubt_times BIGINT NOT NULL DEFAULT 0,
    doubt_since DOUBLE PRECISION
);
CREATE UNIQUE INDEX runs_one_of_a_remote ON runs (principal, connection, remote_id)
    WHERE remote_id IS NOT NULL AND is_orphan = 0;
CREATE INDEX runs_due ON runs (next_step_at) WHERE outcome IS NULL;
CREATE INDEX runs_open_of_a_pair ON runs (principal, connection, next_step_at) WHERE outcome IS NULL;
CREATE INDEX runs_of_a_person ON runs (principal, created_at);
CREATE INDEX runs_watched ON runs (created_at) WHERE is_watched = 1 AND remote_id IS NOT NULL;
CREATE INDEX runs_ended ON runs (ended_at) WHERE outcome IS NOT NULL;
CREATE INDEX runs_failed ON runs (ended_at) WHERE outcome = 'failed';

CREATE TABLE snapshots (
    connection TEXT NOT NULL,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    read_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, owner, kind)
);

CREATE TABLE remembered (
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    purpose TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (principal, connection, purpose)
);

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    username TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'approved', 'linked', 'denied', 'failed')),
    asked_at DOUBLE PRECISION NOT NULL,
    decided_by TEXT,
    decided_at DOUBLE PRECISION,
    detail TEXT,
    waiting TEXT
);
CREATE UNIQUE INDEX approvals_one_asked ON approvals (principal, connection) WHERE state = 'asked';
CREATE INDEX approvals_of_a_pair ON approvals (principal, connection);
CREATE INDEX approvals_decided ON approvals (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX approvals_undecided ON approvals (asked_at) WHERE state = 'asked';

CREATE TABLE browser_sessions (
    id_hash TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX browser_sessions_of_a_user ON browser_sessions (user_id);
CREATE INDEX browser_sessions_expiry ON browser_sessions (expires_at);

CREATE TABLE class_cards (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    connection TEXT NOT NULL,
    title TEXT NOT NULL,
    reference TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    pattern TEXT NOT NULL,
    template TEXT NOT NULL,
    spec TEXT,
    maximum BIGINT,
    time_zone TEXT NOT NULL,
    stops_at DOUBLE PRECISION,
    closed_at DOUBLE PRECISION,
    stopped_by TEXT,
    done_at DOUBLE PRECISION,
    posts BIGINT NOT NULL DEFAULT 1,
    counted TEXT NOT NULL DEFAULT '',
    counted_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    changed_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    look_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX class_cards_due ON class_cards (look_at) WHERE done_at IS NULL;
CREATE INDEX class_cards_age ON class_cards (created_at);

CREATE TABLE participants (
    card_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    joined_at DOUBLE PRECISION NOT NULL,
    waits_for TEXT NOT NULL DEFAULT '',
    workspace_id TEXT,
    operation_id TEXT,
    is_ready BIGINT NOT NULL DEFAULT 0,
    consented_at DOUBLE PRECISION,
    withdrawn_at DOUBLE PRECISION,
    warned_at DOUBLE PRECISION,
    ended_at DOUBLE PRECISION,
    stop_operation_id TEXT,
    PRIMARY KEY (card_id, principal)
);
CREATE INDEX participants_of_stops ON participants (stop_operation_id) WHERE stop_operation_id IS NOT NULL;

CREATE TABLE outages (
    connection TEXT PRIMARY KEY,
    since DOUBLE PRECISION NOT NULL
);

CREATE TABLE serving (
    id BIGINT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    ahead DOUBLE PRECISION NOT NULL,
    slept DOUBLE PRECISION NOT NULL,
    boot TEXT NOT NULL
);

CREATE TABLE upkeep (
    work TEXT PRIMARY KEY,
    done_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE homes (
    principal TEXT PRIMARY KEY,
    used_at DOUBLE PRECISION NOT NULL,
    uses BIGINT NOT NULL DEFAULT 1,
    page BIGINT NOT NULL DEFAULT 1,
    is_totals BIGINT NOT NULL DEFAULT 0,
    answer TEXT,
    answered_at DOUBLE PRECISION,
    wanted_at DOUBLE PRECISION,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    look_at DOUBLE PRECISION,
    drawn TEXT NOT NULL DEFAULT '',
    view_hash TEXT NOT NULL DEFAULT ''
);
CREATE INDEX homes_wanted ON homes (wanted_at) WHERE wanted_at IS NOT NULL;
CREATE INDEX homes_to_look_at ON homes (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX homes_used ON homes (used_at);

CREATE TABLE contacts (
    principal TEXT PRIMARY KEY,
    met_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE preferences (
    principal TEXT PRIMARY KEY,
    ready BIGINT NOT NULL,
    stopped BIGINT NOT NULL,
    run_ended BIGINT NOT NULL,
    quiet_from BIGINT,
    quiet_to BIGINT,
    workspace_id TEXT NOT NULL,
    connection TEXT NOT NULL,
    template TEXT NOT NULL,
    asks_after BIGINT
);
CREATE INDEX preferences_asking ON preferences (asks_after) WHERE asks_after IS NOT NULL;

CREATE TABLE signatures (
    id TEXT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    signatures TEXT NOT NULL
);
CREATE INDEX signatures_seen ON signatures (seen_at);

CREATE TABLE slack_calls (
    team TEXT NOT NULL,
    method TEXT NOT NULL,
    channel TEXT NOT NULL,
    made_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX slack_calls_by_method ON slack_calls (team, method, made_at);

CREATE TABLE slack_methods (
    team TEXT NOT NULL,
    method TEXT NOT NULL,
    paused_until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (team, method)
);

CREATE TABLE pauses (
    connection TEXT NOT NULL,
    calls TEXT NOT NULL,
    who TEXT NOT NULL,
    noted_at DOUBLE PRECISION NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, calls, who)
);

CREATE TABLE owners (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL
);
CREATE INDEX owners_of_a_process ON owners (owner);

CREATE TABLE installations (
    id TEXT PRIMARY KEY,
    enterprise_id TEXT,
    team_id TEXT,
    team_name TEXT NOT NULL,
    bot_user_id TEXT,
    bot_id TEXT,
    bot_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret TEXT NOT NULL,
    expires_at DOUBLE PRECISION,
    renewing_until DOUBLE PRECISION NOT NULL,
    installed_by TEXT NOT NULL,
    installed_at DOUBLE PRECISION NOT NULL,
    removed_at DOUBLE PRECISION,
    lost_at DOUBLE PRECISION
);
CREATE INDEX installations_of_an_enterprise ON installations (enterprise_id);

CREATE TABLE oauth_states (
    state_hash TEXT PRIMARY KEY,
    expires_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);

CREATE TABLE conversations (
    principal TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    thread_ts TEXT NOT NULL,
    about TEXT NOT NULL,
    spoken_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (principal, channel_id, thread_ts)
);
CREATE INDEX conversations_age ON conversations (spoken_at);

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

CREATE TABLE occurrences (
    rule_id TEXT NOT NULL,
    local TEXT NOT NULL,
    side TEXT NOT NULL,
    became TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (rule_id, local, side)
);
CREATE INDEX occurrences_age ON occurrences (at);

INSERT INTO migrations (name, applied_at)
    VALUES ('0001_initial', 1800000000.0);
INSERT INTO inbox (key, seen_at, result)
    VALUES ('i1', 1800000000.0, 'operation_0004');
INSERT INTO inbox (key, seen_at, result)
    VALUES ('post', 1800000000.0, '');
INSERT INTO inbox (key, seen_at, result)
    VALUES ('p1', 1800000000.0, '');
INSERT INTO people (principal, name, is_guest, is_bot, is_deleted, is_stranger, seen_at)
    VALUES ('-:T1:UALICE', 'Ualice', 0, 0, 0, 0, 1800000000.0);
INSERT INTO people (principal, name, is_guest, is_bot, is_deleted, is_stranger, seen_at)
    VALUES ('E1:T1:UBOB', 'Ubob', 0, 0, 0, 0, 1800000000.0);
INSERT INTO people (principal, name, is_guest, is_bot, is_deleted, is_stranger, seen_at)
    VALUES ('-:T1:UTRAINER', 'Trainer', 0, 0, 0, 0, 1800000000.0);
INSERT INTO accounts (id, principal, connection, username, secret, state, linked_at, discovered_at, refused_for)
    VALUES ('account_1', '-:T1:UALICE', 'saturn', 'ualice', 'sealed-ualice', 'active', 1800000000.0, 1800000000.0, 0.0);
INSERT INTO accounts (id, principal, connection, username, secret, state, linked_at, discovered_at, refused_for)
    VALUES ('account_2', 'E1:T1:UBOB', 'saturn', 'ubob', 'sealed-ubob', 'active', 1800000000.0, 1800000000.0, 0.0);
INSERT INTO gates (gate_key, connection, remote_id, due_at, next_check_at, claimed_at, wanted_at, reader)
    VALUES ('https://saturn.example.org|ualice-notebook', 'saturn', 'ualice-notebook', 1800000010.5, 1800000010.5, 1800000000.0, 1800000000.0, 'account_1');
INSERT INTO gates (gate_key, connection, remote_id, next_check_at, claimed_at, wanted_at, reader)
    VALUES ('https://saturn.example.org|ualice-report', 'saturn', 'ualice-report', 1800000010.5, 1800000000.0, 1800000000.0, 'account_1');
INSERT INTO gates (gate_key, connection, remote_id, next_check_at, claimed_at, wanted_at, reader)
    VALUES ('https://saturn.example.org|ubob-analysis', 'saturn', 'ubob-analysis', 0.0, 0.0, 0.0, '');
INSERT INTO workspaces (id, principal, connection, remote_id, gate_key, name, state, observed_at, verified_at, used_at, origin, hidden, created_at, doubt_times, episode, stop_agreed, stop_warned, left_look_at)
    VALUES ('workspace_0001', '-:T1:UALICE', 'saturn', 'ualice-notebook', 'https://saturn.example.org|ualice-notebook', 'notebook', 'stopped', 1800000000.0, 1800000000.0, 1800000000.0, 'discovered', 0, 1800000000.0, 0, 1, 0, 0, 0.0);
INSERT INTO workspaces (id, principal, connection, remote_id, gate_key, name, state, url, observed_at, verified_at, used_at, origin, hidden, created_at, up_at, doubt_times, episode, stop_at, stop_mode, stop_agreed, stop_warned, stop_look_at, started_at, left_look_at)
    VALUES ('workspace_0002', '-:T1:UALICE', 'saturn', 'ualice-report', 'https://saturn.example.org|ualice-report', 'report', 'running', 'https://saturn.example.org/lab', 1800000000.0, 1800000000.0, 1800000000.0, 'discovered', 0, 1800000000.0, 1800000000.0, 0, 1, 1800007200.0, 'stop', 0, 0, 1800006600.0, 1800000000.0, 0.0);
INSERT INTO workspaces (id, principal, connection, remote_id, gate_key, name, state, observed_at, verified_at, origin, hidden, created_at, doubt_times, episode, stop_agreed, stop_warned, left_look_at)
    VALUES ('workspace_0003', 'E1:T1:UBOB', 'saturn', 'ubob-analysis', 'https://saturn.example.org|ubob-analysis', 'analysis', 'stopped', 1800000000.0, 1800000000.0, 'discovered', 0, 1800000000.0, 0, 0, 0, 0, 0.0);
INSERT INTO operations (id, principal, workspace_id, connection, verb, created_at, deadline_at, deadline_number, start_call, stop_call, attempts, next_step_at, progress_floor, reference, waits_for, woken, leased_until, claim, is_orphan, prior_call, agreed, start_kind)
    VALUES ('operation_0004', '-:T1:UALICE', 'workspace_0001', 'saturn', 'start', 1800000000.0, 1800000060.0, 1, 'none', 'none', 0, 1800000000.0, 0, 'R', 'time', 0, 0.0, '', 0, 'none', 0, '-:T1|saturn|start|');
INSERT INTO notices (id, subject, kind, occasion, principal, body, state, class, attempts, created_at, due_at)
    VALUES ('notice_0006', 'class_0001', 'class_card', '1', '-:T1:UTRAINER', '{"channel_id":"C1","connection":"saturn"}', 'pending', 2, 0, 1800000000.0, 1800000000.0);
INSERT INTO notices (id, subject, kind, occasion, principal, body, state, class, attempts, created_at, due_at)
    VALUES ('notice_0007', 's', 'message', '1', '-:T1:UALICE', '{"text":"The report is done \u2013 \ud83e\udd89"}', 'pending', 1, 0, 1800000000.0, 1800000000.0);
INSERT INTO cards (id, subject, kind, principal, is_dirty, dirt, claimed_dirt, updated_at, leased_until, about, is_notice, stage, body, created_at, drawn, claimed_drawn)
    VALUES ('operation_0004', 'operation_0004', 'card', '-:T1:UALICE', 0, 0, 0, 1800000000.0, 0.0, 'workspace_0001', 0, 'live', '{}', 1800000000.0, '', '');
INSERT INTO cards (id, subject, kind, principal, is_dirty, dirt, claimed_dirt, updated_at, leased_until, about, is_notice, stage, body, created_at, drawn, claimed_drawn)
    VALUES ('job_0005', 'job_0005', 'job_card', '-:T1:UALICE', 0, 0, 0, 1800000000.0, 0.0, 'job_0005', 0, 'live', '{}', 1800000000.0, '', '');
INSERT INTO cards (id, subject, kind, principal, is_dirty, dirt, claimed_dirt, updated_at, leased_until, about, is_notice, stage, body, created_at, drawn, claimed_drawn)
    VALUES ('class_0001', 'class_0001', 'class_card', '-:T1:UTRAINER', 0, 0, 0, 1800000000.0, 0.0, 'class_0001', 0, 'live', '{}', 1800000000.0, '', '');
INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash)
    VALUES (1, 1800000000.0, '-:T1:UTRAINER', 'class.post', 'saturn/Statistics', 'accepted', '{"channel":"C1","card":"class_0001","trainer":"-:T1:UTRAINER"}', '', '9d867e744638e8332c644cab80164f5ef03e395ef1f27765a4685699eb1a614b');
INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash)
    VALUES (2, 1800000000.0, 'T1:UALICE', 'act 0', 'it''s done', 'ok', '{}', '9d867e744638e8332c644cab80164f5ef03e395ef1f27765a4685699eb1a614b', '7b6980678c1560e49de29826fa4306687dd3763839da674fd255bd3e80599890');
INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash)
    VALUES (3, 1800000000.0, 'T1:UALICE', 'act 1', 'it''s done', 'ok', '{}', '7b6980678c1560e49de29826fa4306687dd3763839da674fd255bd3e80599890', 'd35f8af584ddc85e04f33ec88122d15d97e18fc18d2bdc640d85ba5e17323767');
INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash)
    VALUES (4, 1800000000.0, 'T1:UALICE', 'act 2', 'it''s done', 'ok', '{}', 'd35f8af584ddc85e04f33ec88122d15d97e18fc18d2bdc640d85ba5e17323767', '3990c755e3d788ba66893b9999175481ede02a1e9d5a713505a6374d947bfef4');
INSERT INTO audit_head (id, count, hash, archived, archived_hash)
    VALUES (1, 4, '3990c755e3d788ba66893b9999175481ede02a1e9d5a713505a6374d947bfef4', 0, '');
INSERT INTO runs (id, principal, connection, name, spec, created_at, reference, state, start_call, stop_wanted, stop_call, attempts, next_step_at, is_watched, woken, leased_until, claim, is_orphan, deadline_number, doubt_times)
    VALUES ('job_0005', '-:T1:UALICE', 'posit', 'train', '{"name":"train"}', 1800000000.0, 'R-1', 'queued', 'none', '', 'none', 0, 1800000000.0, 1, 0, 0.0, '', 0, 0, 0);
INSERT INTO class_cards (id, principal, channel_id, connection, title, reference, created_at, pattern, template, time_zone, posts, counted, counted_at, changed_at, look_at)
    VALUES ('class_0001', '-:T1:UTRAINER', 'C1', 'saturn', 'Statistics', 'R', 1800000000.0, 'notebook', '', 'UTC', 1, '', 0.0, 0.0, 1800000000.0);
INSERT INTO participants (card_id, principal, joined_at, waits_for, is_ready)
    VALUES ('class_0001', 'E1:T1:UBOB', 1800000000.0, 'no_workspace', 0);
INSERT INTO preferences (principal, ready, stopped, run_ended, workspace_id, connection, template)
    VALUES ('-:T1:UALICE', 0, 0, 1, '', '', '');
