-- What all migrations make of a new file, as test_new_database_equals_a_migrated_one writes it.
CREATE TABLE inbox (
    key TEXT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    result TEXT NOT NULL DEFAULT '',
    sent_at DOUBLE PRECISION
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
    seen_at DOUBLE PRECISION NOT NULL,
    requested TEXT NOT NULL DEFAULT '{}',
    handle TEXT NOT NULL DEFAULT '',
    email TEXT,
    home_at DOUBLE PRECISION);
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
    checked_at DOUBLE PRECISION,
    runs_read_at DOUBLE PRECISION,
    expires_at DOUBLE PRECISION,
    remind_at DOUBLE PRECISION,
    renamed_to TEXT,
    link_source TEXT NOT NULL DEFAULT ''
, remote_id TEXT, remote_id_source TEXT NOT NULL DEFAULT '', remote_id_at DOUBLE PRECISION, compared_at DOUBLE PRECISION, resting_since DOUBLE PRECISION, other_id TEXT);
CREATE UNIQUE INDEX accounts_one_of_a_pair ON accounts (principal, connection) WHERE state <> 'revoking';
CREATE INDEX accounts_of_a_pair ON accounts (principal, connection);
CREATE INDEX accounts_ending ON accounts (remind_at) WHERE remind_at IS NOT NULL;
CREATE TABLE links (
    nonce_hash TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    deferred_command TEXT,
    created_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('open', 'checked', 'code', 'used')),
    attempts_left BIGINT NOT NULL,
    secret TEXT,
    username TEXT,
    code_hash TEXT,
    code_attempts_left BIGINT NOT NULL,
    browser_hash TEXT,
    proven BIGINT NOT NULL,
    credential_expires_at DOUBLE PRECISION,
    link_source TEXT NOT NULL DEFAULT ''
, remote_id TEXT);
CREATE INDEX links_of_a_pair ON links (principal, connection);
CREATE INDEX links_expiry ON links (expires_at);
CREATE TABLE gates (
    gate_key TEXT PRIMARY KEY,
    connection TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    due_at DOUBLE PRECISION,
    next_check_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    claimed_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    requested_at DOUBLE PRECISION NOT NULL DEFAULT 0,
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
    attempted_at DOUBLE PRECISION,
    up_at DOUBLE PRECISION,
    unconfirmed TEXT,
    unconfirmed_times BIGINT NOT NULL DEFAULT 0,
    unconfirmed_since DOUBLE PRECISION,
    spec TEXT,
    actions TEXT,
    expires_at DOUBLE PRECISION,
    expiry_mode TEXT,
    survives_stop BIGINT,
    entry TEXT,
    event_message TEXT,
    generation BIGINT NOT NULL DEFAULT 0,
    stop_at DOUBLE PRECISION,
    stop_agreed BIGINT NOT NULL DEFAULT 0,
    stop_warned BIGINT NOT NULL DEFAULT 0,
    stop_check_at DOUBLE PRECISION,
    notify_ready BIGINT,
    notify_stopped BIGINT,
    stop_risks TEXT,
    last_used_at DOUBLE PRECISION,
    started_at DOUBLE PRECISION,
    idle_check_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    reason TEXT,
    down_at DOUBLE PRECISION,
    stop_warning TEXT,
    folded TEXT NOT NULL DEFAULT '',
    folded_from TEXT NOT NULL DEFAULT '',
    stop_card TEXT,
    last_request_at DOUBLE PRECISION,
    gone_at DOUBLE PRECISION,
    gone_confirmed_at DOUBLE PRECISION,
    planned_stops TEXT NOT NULL DEFAULT '',
    lacks TEXT,
    lacks_since DOUBLE PRECISION,
    unknown_at DOUBLE PRECISION,
    running_since DOUBLE PRECISION, provider_end_check_at DOUBLE PRECISION NOT NULL DEFAULT 0, owner TEXT, down_seen_at DOUBLE PRECISION, template TEXT, size TEXT, price TEXT, currency TEXT,
    UNIQUE (principal, connection, remote_id)
);
CREATE INDEX workspaces_of_a_gate ON workspaces (gate_key);
CREATE INDEX workspaces_ending ON workspaces (expires_at) WHERE expires_at IS NOT NULL AND hidden = 0;
CREATE INDEX workspaces_timed ON workspaces (stop_check_at) WHERE stop_check_at IS NOT NULL;
CREATE INDEX workspaces_of_a_name ON workspaces (principal, folded);
CREATE INDEX workspaces_of_an_id ON workspaces (principal, remote_id);
CREATE INDEX workspaces_compared ON workspaces (principal) WHERE alias IS NOT NULL OR folded_from <> name;
CREATE INDEX workspaces_of_classes ON workspaces (stop_card) WHERE stop_card IS NOT NULL;
CREATE INDEX workspaces_gone ON workspaces (gone_confirmed_at) WHERE gone_confirmed_at IS NOT NULL;
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
    block_reason TEXT,
    read_block_reason TEXT,
    reference TEXT NOT NULL,
    waits_for TEXT NOT NULL DEFAULT 'time' CHECK (waits_for IN ('read', 'change', 'time')),
    wake_reason BIGINT NOT NULL DEFAULT 0,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    claim TEXT NOT NULL DEFAULT '',
    is_orphan BIGINT NOT NULL DEFAULT 0,
    channel_id TEXT,
    unknown_since DOUBLE PRECISION,
    called_from TEXT,
    prior_call TEXT NOT NULL DEFAULT 'none',
    prior_at DOUBLE PRECISION,
    question_since DOUBLE PRECISION,
    blocked_since DOUBLE PRECISION,
    agreed BIGINT NOT NULL DEFAULT 0,
    planned_for DOUBLE PRECISION,
    start_kind TEXT,
    usual_seconds DOUBLE PRECISION,
    slow_seconds DOUBLE PRECISION,
    run_seconds DOUBLE PRECISION,
    busy_since DOUBLE PRECISION,
    retry_at DOUBLE PRECISION,
    failed_at DOUBLE PRECISION,
    good_until DOUBLE PRECISION,
    delayed_by TEXT NOT NULL DEFAULT ''
, revision BIGINT NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX operations_one_open ON operations (workspace_id) WHERE outcome IS NULL;
CREATE INDEX operations_due ON operations (next_step_at) WHERE outcome IS NULL;
CREATE INDEX operations_of_a_workspace ON operations (workspace_id, created_at);
CREATE INDEX operations_of_a_person ON operations (principal, connection) WHERE outcome IS NULL;
CREATE INDEX operations_orphaned ON operations (ended_at) WHERE is_orphan = 1;
CREATE INDEX operations_failed ON operations (connection, ended_at) WHERE outcome = 'failed';
CREATE INDEX operations_creating ON operations (connection, called_at) WHERE verb = 'create' AND called_at IS NOT NULL;
CREATE INDEX operations_uncalled ON operations (connection, created_at) WHERE outcome IS NULL AND start_call = 'none';
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
    urgency BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    created_at DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    leased_at DOUBLE PRECISION,
    sent_at DOUBLE PRECISION,
    unknown_since DOUBLE PRECISION,
    channel_id TEXT,
    message_ts TEXT,
    error TEXT,
    combined_into TEXT, sent_as TEXT, is_text BIGINT NOT NULL DEFAULT 0, read_since DOUBLE PRECISION, tried_at DOUBLE PRECISION,
    UNIQUE (subject, kind, occasion)
);
CREATE INDEX notices_dead ON notices (created_at) WHERE state = 'dead';
CREATE INDEX notices_sent ON notices (sent_at) WHERE state = 'sent';
CREATE TABLE cards (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    principal TEXT NOT NULL,
    channel_id TEXT,
    message_ts TEXT,
    is_dirty BIGINT NOT NULL DEFAULT 0,
    revision BIGINT NOT NULL DEFAULT 0,
    changed_at DOUBLE PRECISION,
    updated_at DOUBLE PRECISION NOT NULL,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    about TEXT NOT NULL DEFAULT '',
    is_notice BIGINT NOT NULL DEFAULT 0,
    stage TEXT NOT NULL DEFAULT 'live' CHECK (stage IN ('live', 'closing', 'closed')),
    body TEXT NOT NULL DEFAULT '{}',
    name TEXT,
    created_at DOUBLE PRECISION NOT NULL DEFAULT 0,
    rendered_digest TEXT NOT NULL DEFAULT '',
    claimed_digest TEXT NOT NULL DEFAULT '',
    over_at DOUBLE PRECISION
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
    requested_stop TEXT NOT NULL DEFAULT '' CHECK (requested_stop IN ('', 'stop', 'force')),
    stop_call TEXT NOT NULL DEFAULT 'none',
    called_at DOUBLE PRECISION,
    sent_at DOUBLE PRECISION,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_step_at DOUBLE PRECISION NOT NULL,
    outcome TEXT CHECK (outcome IN ('ended', 'failed', 'cancelled')),
    cause TEXT,
    ended_at DOUBLE PRECISION,
    block_reason TEXT,
    channel_id TEXT,
    is_watched BIGINT NOT NULL,
    wake_reason BIGINT NOT NULL DEFAULT 0,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    claim TEXT NOT NULL DEFAULT '',
    is_orphan BIGINT NOT NULL DEFAULT 0,
    unknown_since DOUBLE PRECISION,
    question_since DOUBLE PRECISION,
    blocked_since DOUBLE PRECISION,
    deadline_at DOUBLE PRECISION,
    deadline_number BIGINT NOT NULL DEFAULT 0,
    unconfirmed TEXT,
    unconfirmed_times BIGINT NOT NULL DEFAULT 0,
    unconfirmed_since DOUBLE PRECISION,
    busy_since DOUBLE PRECISION,
    retry_at DOUBLE PRECISION
, revision BIGINT NOT NULL DEFAULT 0, template TEXT, size TEXT, price TEXT, currency TEXT);
CREATE UNIQUE INDEX runs_one_of_a_remote ON runs (principal, connection, remote_id)
    WHERE remote_id IS NOT NULL AND is_orphan = 0;
CREATE INDEX runs_due ON runs (next_step_at) WHERE outcome IS NULL;
CREATE INDEX runs_open_of_a_pair ON runs (principal, connection, next_step_at) WHERE outcome IS NULL;
CREATE INDEX runs_of_a_person ON runs (principal, created_at);
CREATE INDEX runs_watched ON runs (created_at) WHERE is_watched = 1 AND remote_id IS NOT NULL;
CREATE INDEX runs_ended ON runs (ended_at) WHERE outcome IS NOT NULL;
CREATE TABLE snapshots (
    connection TEXT NOT NULL,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    read_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, owner, kind)
);
CREATE TABLE "form_values" (
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    purpose TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (principal, connection, purpose)
);
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
    next_check_at DOUBLE PRECISION NOT NULL,
    days TEXT NOT NULL DEFAULT '',
    starts INTEGER,
    stops INTEGER,
    first_day TEXT NOT NULL DEFAULT '',
    last_day TEXT NOT NULL DEFAULT '',
    off TEXT NOT NULL DEFAULT '',
    lead_seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
    co_teachers TEXT NOT NULL DEFAULT '', shows_hours BIGINT NOT NULL DEFAULT 0);
CREATE INDEX class_cards_due ON class_cards (next_check_at) WHERE done_at IS NULL;
CREATE INDEX class_cards_age ON class_cards (created_at);
CREATE INDEX class_cards_of_courses ON class_cards (created_at) WHERE days <> '' AND done_at IS NULL;
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
    warning TEXT, id TEXT NOT NULL DEFAULT '', lesson TEXT NOT NULL DEFAULT '', due_at DOUBLE PRECISION,
    PRIMARY KEY (card_id, principal)
);
CREATE INDEX participants_of_stops ON participants (stop_operation_id) WHERE stop_operation_id IS NOT NULL;
CREATE INDEX participants_of_workspace ON participants (workspace_id) WHERE workspace_id IS NOT NULL;
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
    done_at DOUBLE PRECISION NOT NULL,
    detail TEXT
);
CREATE TABLE "greetings" (
    principal TEXT PRIMARY KEY,
    greeted_at DOUBLE PRECISION NOT NULL
);
CREATE TABLE preferences (
    principal TEXT PRIMARY KEY,
    ready BIGINT NOT NULL,
    stopped BIGINT NOT NULL,
    run_ended BIGINT NOT NULL,
    idle_prompt_after BIGINT,
    assistant TEXT NOT NULL DEFAULT 'show'
);
CREATE INDEX preferences_asking ON preferences (idle_prompt_after) WHERE idle_prompt_after IS NOT NULL;
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
    called_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX slack_calls_by_method ON slack_calls (team, method, called_at);
CREATE TABLE slack_methods (
    team TEXT NOT NULL,
    method TEXT NOT NULL,
    paused_until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (team, method)
);
CREATE TABLE pauses (
    connection TEXT NOT NULL,
    calls TEXT NOT NULL,
    account_id TEXT NOT NULL,
    requested_at DOUBLE PRECISION NOT NULL,
    paused_until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, calls, account_id)
);
CREATE TABLE owners (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    release TEXT NOT NULL DEFAULT '0.1.0'
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
    lost_at DOUBLE PRECISION,
    organisation_id TEXT
);
CREATE TABLE oauth_states (
    state_hash TEXT PRIMARY KEY,
    expires_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);
CREATE TABLE rules (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    days TEXT NOT NULL,
    starts INTEGER,
    stops INTEGER,
    zone TEXT NOT NULL,
    processed_until DOUBLE PRECISION NOT NULL,
    agreed INTEGER NOT NULL DEFAULT 0,
    off TEXT NOT NULL DEFAULT '',
    paused TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    remote_id TEXT NOT NULL DEFAULT '',
    next_check_at DOUBLE PRECISION,
    first_day TEXT NOT NULL DEFAULT '',
    last_day TEXT NOT NULL DEFAULT '',
    lead_seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
    started_at DOUBLE PRECISION,
    unused INTEGER NOT NULL DEFAULT 0);
CREATE INDEX rules_due ON rules (next_check_at, id) WHERE next_check_at IS NOT NULL;
CREATE INDEX rules_unlinked ON rules (processed_until) WHERE paused = 'unlinked';
CREATE INDEX rules_of_workspace ON rules (workspace_id);
CREATE INDEX rules_of_person ON rules (principal, connection, remote_id);
CREATE TABLE occurrences (
    rule_id TEXT NOT NULL,
    local TEXT NOT NULL,
    side TEXT NOT NULL,
    result TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (rule_id, local, side)
);
CREATE INDEX occurrences_age ON occurrences (at);
CREATE TABLE "undecryptable_secrets" (
    account_id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    removed_at DOUBLE PRECISION NOT NULL
);
CREATE TABLE reached (
    name TEXT PRIMARY KEY,
    answered_at DOUBLE PRECISION,
    silent_since DOUBLE PRECISION
);
CREATE TABLE "undoable_actions" (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    kind TEXT NOT NULL,
    done_at DOUBLE PRECISION NOT NULL,
    subject TEXT NOT NULL,
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    initiator TEXT NOT NULL,
    work_item_id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    thread_ts TEXT NOT NULL,
    interaction TEXT NOT NULL,
    via TEXT NOT NULL DEFAULT ''
);
CREATE TABLE "database_timeline" (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    server TEXT NOT NULL,
    lost_since DOUBLE PRECISION,
    detected_at DOUBLE PRECISION
);
CREATE TABLE identity (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    digest TEXT NOT NULL,
    auth_test TEXT NOT NULL
);
CREATE INDEX participants_waiting ON participants (principal) WHERE waits_for = 'unlinked';
CREATE TABLE "waitlist_entries" (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL,
    joined_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    attempted_at DOUBLE PRECISION,
    next_at DOUBLE PRECISION NOT NULL,
    operation_id TEXT,
    granted_at DOUBLE PRECISION,
    mode TEXT NOT NULL DEFAULT '',
    ended_at DOUBLE PRECISION,
    round BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX operations_fulfilled ON operations (connection, ended_at)
    WHERE outcome = 'fulfilled' AND start_call = 'accepted';
CREATE TABLE places (
    id TEXT PRIMARY KEY,
    enterprise_id TEXT,
    seen_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX installations_of_an_organisation ON installations (organisation_id);
CREATE INDEX accounts_of_a_connection ON accounts (connection);
CREATE INDEX people_of_an_email ON people (email) WHERE email IS NOT NULL;
CREATE INDEX audit_of_unlinked ON audit (target) WHERE action = 'account.unlinked';
CREATE TABLE channel_ids (
    id TEXT NOT NULL,
    place TEXT NOT NULL,
    new_id TEXT NOT NULL,
    changed_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (place, id)
);
CREATE INDEX workspaces_left ON workspaces (idle_check_at) WHERE state = 'running' AND hidden = 0;
CREATE TABLE connections (
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL DEFAULT ''
);
CREATE INDEX cards_over ON cards (over_at) WHERE over_at IS NOT NULL;
CREATE INDEX accounts_by_list_age ON accounts (connection, (COALESCE(discovered_at, 0.0))) WHERE state = 'active';
CREATE INDEX accounts_refused ON accounts (connection, id) WHERE refused_since IS NOT NULL;
CREATE INDEX accounts_refused_lately ON accounts (connection, refused_since) WHERE refused_since IS NOT NULL;
CREATE INDEX accounts_to_revoke ON accounts (unlinked_at, id) WHERE state = 'revoking';
CREATE INDEX workspaces_used ON workspaces (used_at, id) WHERE used_at IS NOT NULL;
CREATE INDEX links_to_empty ON links (expires_at)
    WHERE secret IS NOT NULL OR code_hash IS NOT NULL OR deferred_command IS NOT NULL;
CREATE INDEX accounts_counted ON accounts (id) WHERE state <> 'revoking';
CREATE INDEX workspaces_counted ON workspaces (id) WHERE hidden = 0;
CREATE INDEX people_counted ON people (principal) WHERE is_deleted = 0;
CREATE INDEX undecryptable_secrets_age ON undecryptable_secrets (removed_at);
CREATE INDEX undoable_actions_of_person ON undoable_actions (principal, done_at);
CREATE INDEX undoable_actions_age ON undoable_actions (done_at);
CREATE INDEX undoable_actions_of_work_item ON undoable_actions (work_item_id);
CREATE UNIQUE INDEX waitlist_entries_open ON waitlist_entries (workspace_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX waitlist_entries_one_attempt ON waitlist_entries (connection, kind) WHERE state = 'trying';
CREATE INDEX waitlist_entries_due ON waitlist_entries (next_at, id) WHERE ended_at IS NULL;
CREATE INDEX waitlist_entries_in_line ON waitlist_entries (connection, kind, seq);
CREATE INDEX waitlist_entries_of_workspace ON waitlist_entries (workspace_id);
CREATE INDEX waitlist_entries_of_person ON waitlist_entries (principal) WHERE ended_at IS NULL;
CREATE INDEX waitlist_entries_by_seq ON waitlist_entries (seq);
CREATE INDEX waitlist_entries_ended ON waitlist_entries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX notices_combined ON notices (combined_into) WHERE combined_into IS NOT NULL;
CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    username TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at DOUBLE PRECISION NOT NULL,
    decided_by TEXT,
    decided_at DOUBLE PRECISION,
    detail TEXT,
    deferred_command TEXT,
    similar_users TEXT,
    email TEXT,
    answers TEXT,
    awaits_answers INTEGER NOT NULL DEFAULT 0
, remote_id TEXT);
CREATE UNIQUE INDEX approvals_one_requested ON approvals (principal, connection) WHERE state = 'requested';
CREATE INDEX approvals_of_a_pair ON approvals (principal, connection);
CREATE INDEX approvals_decided ON approvals (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX approvals_undecided ON approvals (requested_at) WHERE state = 'requested';
CREATE INDEX notices_questions ON notices (principal) WHERE kind = 'account_question';
CREATE UNIQUE INDEX accounts_one_of_a_username ON accounts (connection, username)
    WHERE state <> 'revoking' AND username <> '' AND resting_since IS NULL;
CREATE INDEX accounts_of_a_username ON accounts (connection, username) WHERE state <> 'revoking' AND username <> '';
CREATE INDEX accounts_of_a_remote_id ON accounts (connection, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX accounts_resting ON accounts (connection, resting_since) WHERE resting_since IS NOT NULL;
CREATE INDEX accounts_resting_of_person ON accounts (principal, connection) WHERE resting_since IS NOT NULL;
CREATE TABLE former_members (
    id TEXT PRIMARY KEY,
    card_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    consented_at DOUBLE PRECISION,
    days TEXT NOT NULL,
    minutes BIGINT NOT NULL,
    last_day TEXT NOT NULL,
    off TEXT NOT NULL,
    course_off TEXT NOT NULL,
    paused TEXT NOT NULL
);
CREATE INDEX former_members_of_card ON former_members (card_id);
CREATE TABLE upgrade_losses (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    due_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX upgrade_losses_due ON upgrade_losses (due_at);
CREATE INDEX upgrade_losses_of_person ON upgrade_losses (principal);
CREATE UNIQUE INDEX participants_of_id ON participants (id);
CREATE INDEX participants_due ON participants (due_at, joined_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX participants_of_person ON participants (principal);
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
CREATE INDEX notices_due ON notices (urgency, due_at) WHERE state NOT IN ('sent', 'dead');
CREATE INDEX notices_owed ON notices (principal, due_at) WHERE state NOT IN ('sent', 'dead');
CREATE TABLE usage_mondays (principal TEXT PRIMARY KEY, due_at DOUBLE PRECISION NOT NULL);
CREATE INDEX usage_mondays_due ON usage_mondays (due_at);
CREATE INDEX notices_urgent ON notices (principal)
    WHERE kind IN ('ready', 'failed') AND state IN ('pending', 'retry');
INSERT INTO "audit" VALUES(0,0.0,'','','','','0','','');
