-- in place of:
--   0001_initial 0002_releases 0003_reasons 0004_later_kinds 0005_down_at 0006_said 0007_made_by 0008_lasts
--   0009_requests 0010_forgotten 0011_reached 0012_alike 0013_owed 0014_address_there 0015_warnings 0016_acts
--   0016_folded 0017_class_ends 0018_acts_of_errand 0020_courses 0022_unused 0023_assistant 0024_stop_rule
--   0025_lineage 0026_members_follow 0027_restoring 0028_identity 0030_gone 0032_stop_via 0034_answers 0035_ends
--   0036_untaught 0037_waiting_presses 0038_calendars 0039_waits 0040_one_queue 0042_places 0043_channel_ids
--   0044_usable 0046_rounds 0047_busy 0049_unknown_states 0052_running_since 0053_titles 0054_good_until 0056_over

-- Everything that must outlive the process. Portable between SQLite and PostgreSQL: text ids made by us, times as
-- epoch seconds, truth values as 0 and 1; bot/store/tables.py says how far ahead each time may be.
-- said_at: when words were said, as Slack tells it, which may be long before they came (NULL: it tells nothing).
CREATE TABLE inbox (
    key TEXT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    result TEXT NOT NULL DEFAULT '',
    said_at DOUBLE PRECISION
);
CREATE INDEX inbox_age ON inbox (seen_at);

-- requested: when somebody last asked for which links, by connection.
-- handle: what Slack calls a person, who can't choose that as they can their name. email: what Slack has confirmed, where
-- it may be read (NULL: nobody knows). questioned_at: when they were last asked whether an account is theirs.
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
    questioned_at DOUBLE PRECISION
);

CREATE TABLE direct_channels (
    principal TEXT PRIMARY KEY,
    channel_id TEXT NOT NULL
);

-- refused_since: since when its credential has been suspected; refused_for: for how many seconds it was seen to be
-- refused; looked_at: when it was last checked. A suspicion ends with the first call that is accepted. runs_read_at:
-- when its runs were last read by whoever was allowed to. ends_at: when the credential ends, as its provider said
-- (NULL: never, or nobody said); remind_at: when its person is reminded of that next. renamed_to: the name that a
-- refused account has at its provider by now, if that is why it was refused.
-- An account being revoked exists next to its successor until the provider has been asked to revoke it.
-- made_by: how a link was made: sign_in (at the provider), token (whose owner the provider named), approval, import ('':
-- nobody knows, or nothing had to be linked). The record of who did what says it of the links that are there; the
-- latter two end 90 days after its last entry, as new ones do, and their people are reminded a week before.
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
    renamed_to TEXT,
    made_by TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX accounts_one_of_a_pair ON accounts (principal, connection) WHERE state <> 'revoking';
CREATE UNIQUE INDEX accounts_one_of_a_username ON accounts (connection, username)
    WHERE state <> 'revoking' AND username <> '';
CREATE INDEX accounts_of_a_pair ON accounts (principal, connection);
CREATE INDEX accounts_suspected ON accounts (connection) WHERE refused_since IS NOT NULL;
CREATE INDEX accounts_ending ON accounts (remind_at) WHERE remind_at IS NOT NULL;

-- One-time pages. ends_at: when the credential that was given there ends, as its provider said (NULL: never, or nobody
-- said).
-- made_by: how a link was made: sign_in (at the provider), token (whose owner the provider named), approval, import ('':
-- nobody knows, or nothing had to be linked). The record of who did what says it of the links that are there; the
-- latter two end 90 days after its last entry, as new ones do, and their people are reminded a week before.
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
    ends_at DOUBLE PRECISION,
    made_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX links_of_a_pair ON links (principal, connection);
CREATE INDEX links_expiry ON links (expires_at);

-- The poll gate, which outlives its watchers, so the gap between two reads holds across an unlink and a new link.
-- due_at: when somebody wants a read (NULL: nobody). next_check_at: the earliest time one may be sent; only claims
-- write it. claimed_at: when the last one was granted, to the account "reader". wanted_at: when a read was last
-- requested, so that one already in flight doesn't count as the answer.
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

-- One person's view of one workspace. tried_at: when a read was last made with this person's own account. up_at: when a
-- read last showed it up. doubt: what reads have reported but not yet confirmed (a refusal, that it is gone, that a
-- list left it out), how often in a row, and since when. spec: what it was created from, through Usher. actions: what
-- can be done with it now (words separated by spaces; NULL: whatever the provider can do). ends_at, ends_how: when it
-- ends by itself, and how; is_kept: whether it is kept when stopped, if its provider says so for each. entry: what
-- opens it in a page of ours (sealed). remark: the last thing its provider reported unasked. episode: how often it was
-- brought up; buttons carry it, so that one of an earlier time is known. stop_at: when its person wants it stopped;
-- stop_mode: stop or suspend; stop_agreed: they agreed that this ends it for good; stop_warned: they were warned, or
-- have named an end so near that they need not be; stop_look_at: when the warning or the stop is due, claimed by moving
-- it on. tells_ready, tells_stopped: what its person is told of it (NULL: as of all of them). at_stake: what a stop
-- would interrupt or lose, in words (NULL: its provider doesn't say). last_used_at: when it was last used there.
-- started_at: since when it has been up this time, as its provider says (NULL: it doesn't). left_look_at: when it is
-- looked at next to ask whether it is still needed.
-- reason: what holds a workspace up or made it fail, in its provider's words, kept until it is up or started again
-- (NULL: nothing that its provider has told).
-- down_at: since when a workspace has been down, as its provider says (NULL: it doesn't say, or the workspace is up).
-- stop_warning, warning: the notice that warns of the end by a timer, and of the end of a class (NULL: there is none to
-- wait for).
-- folded: the name as names are compared, and folded_from, which name that was made from. The few that their person has
-- named are compared one by one.
-- stop_card: the class because of which a workspace's timer is set (NULL: it is its person's own).
-- asked_at: when its person last opened a workspace or asked anything of it; used_at counts what time does, too.
-- stop_rule: the hours because of which a workspace's timer is set (NULL: it is its person's own, or a class's).
-- gone_at: when its provider first said that it's gone; gone_again_at: when it said so a day or more later. Such a
-- workspace is read daily until it is swept, also those of before.
-- stop_via: through what a workspace's timer was asked for ('' by its person themself, 'assistant': Slack's).
-- stop_start: the start that has to bring the workspace up for its timer to hold ('': it holds in any case).
-- ends: why and when a workspace is to be stopped, one for each reason, and the one that counts ('': none). The latter
-- is in the columns that begin with stop_, which are all that earlier releases read and write.
-- lacks: what a running workspace lacks before people can use it (NULL: nothing that is known); lacks_since: when a
-- read first found it running without that.
-- When the latest read of a workspace found a state that isn't known; NULL if it found a known one.
-- When a read or a list first found a workspace running, this time; NULL while it doesn't run.
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
    reason TEXT,
    down_at DOUBLE PRECISION,
    stop_warning TEXT,
    folded TEXT NOT NULL DEFAULT '',
    folded_from TEXT NOT NULL DEFAULT '',
    stop_card TEXT,
    asked_at DOUBLE PRECISION,
    stop_rule TEXT,
    gone_at DOUBLE PRECISION,
    gone_again_at DOUBLE PRECISION,
    stop_via TEXT NOT NULL DEFAULT '',
    stop_start TEXT NOT NULL DEFAULT '',
    ends TEXT NOT NULL DEFAULT '',
    lacks TEXT,
    lacks_since DOUBLE PRECISION,
    unknown_at DOUBLE PRECISION,
    running_since DOUBLE PRECISION,
    UNIQUE (principal, connection, remote_id)
);
CREATE INDEX workspaces_of_a_gate ON workspaces (gate_key);
CREATE INDEX workspaces_ending ON workspaces (ends_at) WHERE ends_at IS NOT NULL AND hidden = 0;
CREATE INDEX workspaces_timed ON workspaces (stop_look_at) WHERE stop_look_at IS NOT NULL;
CREATE INDEX workspaces_of_a_name ON workspaces (principal, folded);
CREATE INDEX workspaces_of_an_id ON workspaces (principal, remote_id);
CREATE INDEX workspaces_compared ON workspaces (principal) WHERE alias IS NOT NULL OR folded_from <> name;
CREATE INDEX workspaces_of_classes ON workspaces (stop_card) WHERE stop_card IS NOT NULL;
CREATE INDEX workspaces_gone ON workspaces (gone_again_at) WHERE gone_again_at IS NOT NULL;

-- People write what they want, steps write the progress, reads write read_hold and wake it. leased_until and claim
-- belong to the step under way; woken is what happened during it. is_orphan: its workspace was deleted; it stays for a
-- while, because its card and its notices are still drawn from it. called_at: when its call was committed, moved along
-- when the clock jumps, so that it says how long ago that was; sent_at: the same as written, which no jump moves: the
-- result of a creation or launch is recognised by its age. unknown_since: when a call timed out, was answered unusably,
-- or was found under way after a crash. called_from: the known state when the call was sent. prior_call, prior_at: what
-- a replaced operation had sent, and when; it takes effect all the same. asked_at: since when its person has been asked
-- whether to do it again. held_since: since when something has been holding it up. agreed: its person agreed that the
-- workspace ends for good. channel_id: where it was typed; its person is told there if no direct message reaches them.
-- planned_for: the time of the timer that it carries out. start_kind: which starts it is compared with, in one Slack
-- workspace; usual_seconds: their median, slow_seconds: what nine of ten stayed below, both worked out when it is
-- accepted (NULL: too few are known).
-- Failed operations: doctor counts those that were refused a permission.
-- Creations by call time: if a provider can't carry Usher's mark, what it made may belong to any of them.
-- Starts not sent yet, in the order in which they were requested: gives a person's place in the queue.
-- What the totals of administrators ask for: starts that are under way, and what failed lately.
-- lasts: for how many seconds a workspace was to run from when its start was asked for (NULL: nobody said).
-- busy_since: since when the call of an operation or a run has been refused because its provider is busy; retry_at:
-- when it may be sent again. failed_at: the first read since its call that found a workspace failed as before it.
-- good_until: until when a start by a plan may be sent, NULL for what is good until its deadline. delayed_by: what held
-- such a start up last before it was sent.
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
    slow_seconds DOUBLE PRECISION,
    lasts DOUBLE PRECISION,
    busy_since DOUBLE PRECISION,
    retry_at DOUBLE PRECISION,
    failed_at DOUBLE PRECISION,
    good_until DOUBLE PRECISION,
    delayed_by TEXT NOT NULL DEFAULT ''
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

-- The outbox. due_at of a leased notice is when its lease ends; leased_at is when its attempt began. held_by: the
-- notice that tells this one, together with others, at the end of its person's quiet hours. held_until: nothing is sent
-- before that.
-- Slack takes one message a second in a conversation: what is urgent goes before answers.
-- What a person is owed: told together after a silence, looked for together after attempts of unknown outcome.
-- answers: who was asked whether the account is theirs, by their keys, and whether it is (null: not answered); it takes
-- the place of owner and owner_says. waits: it can't be approved yet, as whom it may mean has a day to answer. What was
-- asked for before, or at an earlier release, doesn't wait.
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
CREATE INDEX notices_owed ON notices (principal, due_at) WHERE state IN ('pending', 'retry', 'leased');
CREATE INDEX notices_questions ON notices (principal) WHERE kind = 'account_asked';

-- A card is a message that changes: that of an operation, run or class with the same id, or a notice about one; sweeps
-- delete it with its owner. Updates of cards are marked, not queued. dirt counts what made it dirty, claimed_dirt how
-- much of that was claimed. about: the workspace, run or class that it offers something for; name: what its workspace
-- was called, once that is deleted. stage: of those about the same, the last one sent is live; the others are closing,
-- until they have lost their buttons. body: what a notice is redrawn from, besides rows. drawn: what it shows, as a
-- digest with the time of its last update; '' if nobody knows. A claim moves it to claimed_drawn: if the update's
-- outcome stays unknown, nobody knows.
-- In the thread of a card, it is what is spoken of.
-- later_ts, later_tasks: where 0.2.1 keeps what 0.1.0 doesn't know; 0057_one_upgrade moves that and drops them.
-- The next moment that a message announces, or that one of its buttons is good until: it is drawn again then.
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
    claimed_drawn TEXT NOT NULL DEFAULT '',
    later_ts TEXT,
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
CREATE INDEX cards_later ON cards (changed_at) WHERE is_dirty = 1 AND later_ts IS NOT NULL;
CREATE INDEX cards_of_later_threads ON cards (later_ts) WHERE later_ts IS NOT NULL;

-- joined: the payload of requests made while the task was running; it runs again with that. is_replaced: a newer task
-- has been asked for since, about the same; this one is never sent any more. claims: how often it was claimed; whoever
-- claimed it before doesn't end it or put it back any more.
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

-- joined: the payload of requests made while the task was running; it runs again with that. is_replaced: a newer task
-- has been asked for since, about the same; this one is never sent any more. claims: how often it was claimed; whoever
-- claimed it before doesn't end it or put it back any more.
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

-- The chain's length and last hash, so that truncation is detected. archived: the last entry that was moved to an
-- archive, and its hash, from which the chain goes on (0: none).
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    count BIGINT NOT NULL,
    hash TEXT NOT NULL,
    archived BIGINT NOT NULL DEFAULT 0,
    archived_hash TEXT NOT NULL DEFAULT ''
);

-- Runs. People write stop_wanted and is_watched, steps the rest. is_orphan: its account was unlinked; it stays for a
-- while, because its card and its notices are still drawn from it. deadline_at: when the person is told of a run that
-- hasn't begun or can't be checked. Other columns mean what they do above.
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
    doubt_since DOUBLE PRECISION,
    busy_since DOUBLE PRECISION,
    retry_at DOUBLE PRECISION
);
CREATE UNIQUE INDEX runs_one_of_a_remote ON runs (principal, connection, remote_id)
    WHERE remote_id IS NOT NULL AND is_orphan = 0;
CREATE INDEX runs_due ON runs (next_step_at) WHERE outcome IS NULL;
CREATE INDEX runs_open_of_a_pair ON runs (principal, connection, next_step_at) WHERE outcome IS NULL;
CREATE INDEX runs_of_a_person ON runs (principal, created_at);
CREATE INDEX runs_watched ON runs (created_at) WHERE is_watched = 1 AND remote_id IS NOT NULL;
CREATE INDEX runs_ended ON runs (ended_at) WHERE outcome IS NOT NULL;
CREATE INDEX runs_failed ON runs (ended_at) WHERE outcome = 'failed';

-- Providers' latest answers. owner: the account whose view it is, '' if everybody sees the same.
CREATE TABLE snapshots (
    connection TEXT NOT NULL,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    read_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, owner, kind)
);

-- People's latest form values.
CREATE TABLE remembered (
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    purpose TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (principal, connection, purpose)
);

-- People's requests to be linked as a username, which administrators decide; one undecided per pair.
-- alike: whom else the username may mean, the likeliest first (NULL: nobody has looked).
-- email: the address that the wanted user has at the provider (NULL: nobody knows).
-- answers: who was asked whether the account is theirs, by their keys, and whether it is (null: not answered); it takes
-- the place of owner and owner_says. waits: it can't be approved yet, as whom it may mean has a day to answer. What was
-- asked for before, or at an earlier release, doesn't wait.
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
    waiting TEXT,
    alike TEXT,
    owner TEXT,
    owner_says INTEGER,
    email TEXT,
    answers TEXT,
    waits INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX approvals_one_asked ON approvals (principal, connection) WHERE state = 'asked';
CREATE INDEX approvals_of_a_pair ON approvals (principal, connection);
CREATE INDEX approvals_decided ON approvals (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX approvals_undecided ON approvals (asked_at) WHERE state = 'asked';

-- Who is signed in in which browser, by the SHA-256 of its cookie's value. user_id is stored as well as the principal,
-- so that all of a person's sessions end together, whatever enterprise a sign-in named.
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

-- Cards with one button for many people. look_at: when its counts, its warnings and its end are due next. counted: what
-- was last drawn; counted_at: when it was counted; changed_at: when the counts last changed.
-- A class card with a timetable, if it has days, is a course; times of day are minutes, days dates.
-- moved: the times of lessons that were moved, by the day they come on; lead: how many seconds before a lesson
-- workspaces are started; trainers: who may do what its poster may.
-- news: what was decided about a course whose members follow, in that order; follow_at: when some more of them do
-- (NULL: all have).
-- untaught_until: the last day of a course whose teachers have all gone, unless somebody takes it over ('': it has some).
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
    look_at DOUBLE PRECISION NOT NULL,
    days TEXT NOT NULL DEFAULT '',
    starts INTEGER,
    stops INTEGER,
    first_day TEXT NOT NULL DEFAULT '',
    last_day TEXT NOT NULL DEFAULT '',
    off TEXT NOT NULL DEFAULT '',
    moved TEXT NOT NULL DEFAULT '{}',
    lead DOUBLE PRECISION NOT NULL DEFAULT 0,
    trainers TEXT NOT NULL DEFAULT '',
    news TEXT NOT NULL DEFAULT '[]',
    follow_at DOUBLE PRECISION,
    untaught_until TEXT NOT NULL DEFAULT ''
);
CREATE INDEX class_cards_due ON class_cards (look_at) WHERE done_at IS NULL;
CREATE INDEX class_cards_age ON class_cards (created_at);
CREATE INDEX class_cards_of_courses ON class_cards (created_at) WHERE days <> '' AND done_at IS NULL;
CREATE INDEX class_cards_followed ON class_cards (follow_at) WHERE follow_at IS NOT NULL;

-- One row per person and card: the press, which is also the consent, and what became of it. An unlink deletes the
-- workspace's row, whose id is never used again, and thereby ends the consent.
-- stop_warning, warning: the notice that warns of the end by a timer, and of the end of a class (NULL: there is none to
-- wait for).
-- gone_at: when its provider first said that it's gone; gone_again_at: when it said so a day or more later. Such a
-- workspace is read daily until it is swept, also those of before.
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
    warning TEXT,
    PRIMARY KEY (card_id, principal)
);
CREATE INDEX participants_of_stops ON participants (stop_operation_id) WHERE stop_operation_id IS NOT NULL;
CREATE INDEX participants_of_workspace ON participants (workspace_id) WHERE workspace_id IS NOT NULL;

-- A connection that isn't answering, and since when: an outage is reported once, even across restarts.
CREATE TABLE outages (
    connection TEXT PRIMARY KEY,
    since DOUBLE PRECISION NOT NULL
);

-- When the serving process last reported that it is alive, how far its time was ahead of the machine's monotonic clock,
-- in which boot, and how long the machine had slept by then: a start can tell from this whether the clock was changed
-- while nobody served.
CREATE TABLE serving (
    id BIGINT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    ahead DOUBLE PRECISION NOT NULL,
    slept DOUBLE PRECISION NOT NULL,
    boot TEXT NOT NULL
);

-- When daily work was last done.
-- detail: how much of a restored backup is on hold, by kind, and since when (JSON; NULL: nothing is).
CREATE TABLE upkeep (
    work TEXT PRIMARY KEY,
    done_at DOUBLE PRECISION NOT NULL,
    detail TEXT
);

-- One row for each person who opened Usher's Home within the last day; what it shows is drawn from other rows. used_at:
-- when they last opened it or pressed something in it; uses: how often they did. page, is_totals: which part they look
-- at. answer: what their last press brought (JSON), shown above the rest for a while after answered_at. wanted_at:
-- since when they have been waiting for a view; leased_until: until when one is being sent for that. look_at: when it
-- is looked at next although nobody asked. drawn: a digest of what Slack was last sent; view_hash: Slack's own name for
-- that version.
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

-- Who has been told once what Usher is.
CREATE TABLE contacts (
    principal TEXT PRIMARY KEY,
    met_at DOUBLE PRECISION NOT NULL
);

-- What people want to hear by direct message, when, and what they usually mean. Without a row everything is as it is at
-- first. quiet_from, quiet_to: minutes since midnight, in the zone that Slack has for the person. asks_after: after how
-- many hours they are asked whether a workspace that runs on is still needed (NULL: they don't want to be).
-- assistant: what Slack's may do for a person (``bot.domain.preferences.LEVELS``).
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
    asks_after BIGINT,
    assistant TEXT NOT NULL DEFAULT 'show'
);
CREATE INDEX preferences_asking ON preferences (asks_after) WHERE asks_after IS NOT NULL;

-- The signatures of Slack's requests, some of each end to end, in a row for about each second that had any: the same
-- bytes are refused by a process that was started since, too.
CREATE TABLE signatures (
    id TEXT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    signatures TEXT NOT NULL
);
CREATE INDEX signatures_seen ON signatures (seen_at);

-- Calls of Slack's limited methods, each written before it is made: what counts towards a limit is known to every
-- process, and after a restart. team: the Slack workspace (or the organisation) that they are counted in; channel: what
-- is paced by itself within the method, '' for nothing.
CREATE TABLE slack_calls (
    team TEXT NOT NULL,
    method TEXT NOT NULL,
    channel TEXT NOT NULL,
    made_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX slack_calls_by_method ON slack_calls (team, method, made_at);

-- Until when Slack asked for a pause. Whoever counts calls writes the method's row first: one at a time.
CREATE TABLE slack_methods (
    team TEXT NOT NULL,
    method TEXT NOT NULL,
    paused_until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (team, method)
);

-- Pauses that a provider asked for: of an account, or of everybody (who = ''). calls: 'any', or 'start' for those that
-- start something. noted_at: when it asked last.
CREATE TABLE pauses (
    connection TEXT NOT NULL,
    calls TEXT NOT NULL,
    who TEXT NOT NULL,
    noted_at DOUBLE PRECISION NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, calls, who)
);

-- What one process at a time does in its memory for all, by its name, and until when it is that process's unless it
-- renews it. The process itself is a row, too: web, worker or serve, and its own name.
-- release: the one that owns it.
CREATE TABLE owners (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    release TEXT NOT NULL DEFAULT '0.1.0'
);
CREATE INDEX owners_of_a_process ON owners (owner);

-- Where Usher is installed by OAuth: a Slack workspace, or a whole enterprise (team_id is null, id is the
-- enterprise's). secret: the bot's token and what refreshes it, encrypted; expires_at: null for tokens that don't
-- expire. renewing_until: while somebody replaces the token, nobody else does; 0 while nobody does. lost_at: since when
-- Slack takes the refresh token no more, so that the token can't be replaced.
-- organisation_id: the enterprise of which a Slack workspace was when Usher was last installed there.
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

-- States of installations that came back from Slack, by their SHA-256: each is used once. What was only begun is in the
-- browser alone.
CREATE TABLE oauth_states (
    state_hash TEXT PRIMARY KEY,
    expires_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);

-- What a person and Usher last spoke of in a conversation, or in a thread of it ('' for none): ids only, for 15
-- minutes.
CREATE TABLE conversations (
    principal TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    thread_ts TEXT NOT NULL,
    about TEXT NOT NULL,
    spoken_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (principal, channel_id, thread_ts)
);
CREATE INDEX conversations_age ON conversations (spoken_at);

-- Hours of workspaces: local times on days of the week, or on dates, in the zone of their person. settled_at: what was
-- planned up to then is settled; look_at: when a rule is looked at next, NULL while it is paused. name, remote_id: of a
-- workspace whose row an unlink deleted, so that it is found again.
-- card: the course whose lessons a rule starts (NULL: it is its person's own), course: that course's title.
-- lesson_look_at: the look_at of such a rule.
-- started_at: when a rule last started its workspace (NULL: it hasn't yet). unused: how many times in a row it did that
-- and nobody used the workspace before the next time; below 0 after its person said that the hours go on.
-- What a member has agreed to, whatever has become of the timetable since: days, minutes, the last day; without
-- that, it is what the rule says. course_off: those days off that they didn't leave out themselves.
-- follows: the state of the timetable that lesson_look_at is from; heard: the one that they heard of last.
-- calendar: the digest of the private address by which calendars read the lessons of a rule (NULL: it has none).
-- Whether the starts of hours wait for room until they end.
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
    look_at DOUBLE PRECISION,
    card TEXT,
    course TEXT NOT NULL DEFAULT '',
    first_day TEXT NOT NULL DEFAULT '',
    last_day TEXT NOT NULL DEFAULT '',
    moved TEXT NOT NULL DEFAULT '{}',
    lead DOUBLE PRECISION NOT NULL DEFAULT 0,
    lesson_look_at DOUBLE PRECISION,
    started_at DOUBLE PRECISION,
    unused INTEGER NOT NULL DEFAULT 0,
    agreed_days TEXT NOT NULL DEFAULT '',
    agreed_minutes INTEGER NOT NULL DEFAULT 0,
    agreed_until TEXT NOT NULL DEFAULT '',
    course_off TEXT NOT NULL DEFAULT '',
    follows TEXT NOT NULL DEFAULT '',
    heard TEXT NOT NULL DEFAULT '',
    calendar TEXT,
    waits BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX rules_due ON rules (look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX rules_unlinked ON rules (settled_at) WHERE paused = 'unlinked';
CREATE INDEX rules_of_workspace ON rules (workspace_id);
CREATE INDEX rules_of_person ON rules (principal, connection, remote_id);
CREATE INDEX rules_of_courses ON rules (card, principal) WHERE card IS NOT NULL;
CREATE INDEX rules_of_lessons_due ON rules (lesson_look_at, id) WHERE lesson_look_at IS NOT NULL;

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

-- Secrets that no key opened when their links were ended for that, sealed as they were, for a week: the key may turn up.
CREATE TABLE forgotten (
    account_id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    forgotten_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX forgotten_age ON forgotten (forgotten_at);

-- What a connection, or Slack ('#slack'), last answered, and since when it doesn't: a single call that got no answer
-- counts here, an outage is one that lasts.
CREATE TABLE reached (
    name TEXT PRIMARY KEY,
    answered_at DOUBLE PRECISION,
    silent_since DOUBLE PRECISION
);

-- What people had done, each with what it changed: the errand that it began, or what rows said before and said then
-- (JSON by column; '{}' for nothing). subject: the workspace or run, '' for neither. asker: what acted in its person's
-- name, '' for themself. channel_id, thread_ts, interaction: where it was asked for, '' where nobody asked. undone_at:
-- when its person took it back.
-- Who began an operation or a run, and which of them are in no act.
-- via: through what a person asked for it, where that wasn't themself ('assistant': Slack's).
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
    undone_at DOUBLE PRECISION,
    via TEXT NOT NULL DEFAULT ''
);
CREATE INDEX acts_of_person ON acts (principal, done_at);
CREATE INDEX acts_age ON acts (done_at);
CREATE INDEX acts_of_errand ON acts (errand);

-- lineage: the server and its timeline that these rows are of (PostgreSQL). Where a connection finds another one, what
-- was committed since lost_since may be lost; noted_at is when that was seen.
CREATE TABLE lineage (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    server TEXT NOT NULL,
    lost_since DOUBLE PRECISION,
    noted_at DOUBLE PRECISION
);

-- What Slack last said of the bot token (its answer to auth.test): a start goes on with it where Slack is away.
CREATE TABLE identity (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    digest TEXT NOT NULL,
    said TEXT NOT NULL
);
CREATE INDEX participants_waiting ON participants (principal) WHERE waits_for = 'unlinked';
CREATE INDEX rules_of_calendars ON rules (calendar) WHERE calendar IS NOT NULL;

-- Who waits for room: one row per person and workspace. The place in line isn't stored: it is how many rows of the
-- same connection and kind of room come before, by seq. until: a moment that its person named. state: waiting, trying
-- (operation_id is the start), got (since got_at, until it is used), over. A workspace's rows go with it.
-- How many rounds of the line somebody has had a turn in: whoever has had fewer comes first.
CREATE TABLE waits (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL,
    joined_at DOUBLE PRECISION NOT NULL,
    until DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    tried_at DOUBLE PRECISION,
    next_at DOUBLE PRECISION NOT NULL,
    operation_id TEXT,
    got_at DOUBLE PRECISION,
    mode TEXT NOT NULL DEFAULT '',
    ended_at DOUBLE PRECISION,
    round BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX waits_open ON waits (workspace_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX waits_one_attempt ON waits (connection, kind) WHERE state = 'trying';
CREATE INDEX waits_due ON waits (next_at, id) WHERE ended_at IS NULL;
CREATE INDEX waits_in_line ON waits (connection, kind, seq);
CREATE INDEX waits_of_workspace ON waits (workspace_id);
CREATE INDEX waits_of_person ON waits (principal) WHERE ended_at IS NULL;
CREATE INDEX waits_by_seq ON waits (seq);
CREATE INDEX waits_over ON waits (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX operations_fulfilled ON operations (connection, ended_at)
    WHERE outcome = 'fulfilled' AND start_call = 'accepted';

-- Where Usher is or was installed: the enterprise in the keys of everybody there (NULL: none), as it was when the
-- installation was first seen. Written once; what Slack says of a Slack workspace later changes no key.
CREATE TABLE places (
    id TEXT PRIMARY KEY,
    enterprise_id TEXT,
    seen_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX installations_of_an_organisation ON installations (organisation_id);
CREATE INDEX accounts_of_a_connection ON accounts (connection);
CREATE INDEX people_of_an_email ON people (email) WHERE email IS NOT NULL;
CREATE INDEX audit_of_unlinked ON audit (target) WHERE action = 'account.unlinked';

-- What Slack said of channels that got another id, by the place in the keys of the people there. Events may come late
-- and in any order, so each is kept: a chain of changes leads to the id of today.
CREATE TABLE channel_ids (
    id TEXT NOT NULL,
    place TEXT NOT NULL,
    new_id TEXT NOT NULL,
    changed_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (place, id)
);
CREATE INDEX workspaces_left ON workspaces (left_look_at) WHERE state = 'running' AND hidden = 0;

-- What people call each connection, also once it isn't set up any more.
CREATE TABLE connections (
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL DEFAULT ''
);
CREATE INDEX cards_over ON cards (over_at) WHERE over_at IS NOT NULL;

INSERT INTO audit_head (id, count, hash) VALUES (1, 0, '');
