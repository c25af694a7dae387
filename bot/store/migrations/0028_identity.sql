-- oldest release that may serve: 0.1.0

-- What Slack last said of the bot token (its answer to auth.test): a start goes on with it where Slack is away.
CREATE TABLE identity (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    digest TEXT NOT NULL,
    said TEXT NOT NULL
);
