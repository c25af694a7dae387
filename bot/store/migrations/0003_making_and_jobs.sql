-- Workspaces that are made through Usher, and what a provider says of any: what may be done with it now (words
-- joined by blanks; NULL: whatever the provider can do), when it ends by itself, and how.
ALTER TABLE workspaces ADD COLUMN spec TEXT;
ALTER TABLE workspaces ADD COLUMN actions TEXT;
ALTER TABLE workspaces ADD COLUMN ends_at DOUBLE PRECISION;
ALTER TABLE workspaces ADD COLUMN ends_how TEXT;

-- A card belongs to an operation or to a run, whichever has the id; sweeps delete it with its owner.
CREATE TABLE cards_of_all (
    operation_id TEXT PRIMARY KEY,
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
INSERT INTO cards_of_all (
    operation_id, principal, channel_id, message_ts, is_dirty, dirt, claimed_dirt, changed_at, updated_at, leased_until
)
SELECT
    operation_id, principal, channel_id, message_ts, is_dirty, dirt, claimed_dirt, changed_at, updated_at, leased_until
FROM cards;
DROP TABLE cards;
ALTER TABLE cards_of_all RENAME TO cards;
CREATE INDEX cards_changed ON cards (changed_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL;
CREATE INDEX cards_progressed ON cards (updated_at)
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NULL;

-- Runs. People write stop_wanted and is_watched, steps the rest. woken: something came during the lease that
-- shall be stepped at once (1), or a stop of another kind than the one that may be under way (2). is_orphan: its
-- account was unlinked; it stays for a while, as its card and its notices are still drawn from it.
CREATE TABLE jobs (
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
    launch_call TEXT NOT NULL,
    stop_wanted TEXT NOT NULL DEFAULT '' CHECK (stop_wanted IN ('', 'stop', 'force')),
    stop_call TEXT NOT NULL DEFAULT 'none',
    called_at DOUBLE PRECISION,
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
    is_orphan BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX jobs_one_of_a_remote ON jobs (principal, connection, remote_id)
    WHERE remote_id IS NOT NULL AND is_orphan = 0;
CREATE INDEX jobs_due ON jobs (next_step_at) WHERE outcome IS NULL;
CREATE INDEX jobs_open_of_a_pair ON jobs (principal, connection, next_step_at) WHERE outcome IS NULL;
CREATE INDEX jobs_of_a_person ON jobs (principal, created_at);
CREATE INDEX jobs_watched ON jobs (created_at) WHERE is_watched = 1 AND remote_id IS NOT NULL;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE outcome IS NOT NULL;

-- What providers told last. owner: the account whose view it is, '' where it is the same for everybody.
CREATE TABLE snapshots (
    connection TEXT NOT NULL,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    read_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (connection, owner, kind)
);

-- What people filled in last.
CREATE TABLE remembered (
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    purpose TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (principal, connection, purpose)
);

-- People's requests to act as a username, which administrators decide; one undecided of a pair.
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
