-- One row for each person who opened Usher's Home within the last day; what it shows is drawn from other rows.
-- used_at: when they last opened it or pressed something in it; uses: how often they did. page, is_totals: which part
-- they look at. answer: what their last press brought (JSON), shown above the rest for a while after answered_at.
-- wanted_at: since when they have been waiting for a view; leased_until: until when one is being sent for that.
-- look_at: when it is looked at next although nobody asked. drawn: a digest of what Slack was last sent; view_hash:
-- Slack's own name for that version.
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

-- What the totals of administrators ask for: starts that are under way, and what failed lately.
CREATE INDEX operations_starting ON operations (created_at)
    WHERE outcome IS NULL AND verb IN ('start', 'restart', 'create');
CREATE INDEX runs_failed ON runs (ended_at) WHERE outcome = 'failed';
CREATE INDEX approvals_undecided ON approvals (asked_at) WHERE state = 'asked';
