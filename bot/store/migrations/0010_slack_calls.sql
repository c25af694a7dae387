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
