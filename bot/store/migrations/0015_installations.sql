-- Where Usher is installed by OAuth: a Slack workspace, or a whole enterprise (team_id is null, id is the enterprise's).
-- secret: the bot's token and what refreshes it, encrypted; expires_at: null for tokens that don't expire.
-- renewing_until: while somebody replaces the token, nobody else does; 0 while nobody does.
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
    removed_at DOUBLE PRECISION
);
CREATE INDEX installations_of_an_enterprise ON installations (enterprise_id);

-- States of installations that came back from Slack, by their SHA-256: each is used once. What was only begun is in the
-- browser alone.
CREATE TABLE oauth_states (
    state_hash TEXT PRIMARY KEY,
    expires_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);
