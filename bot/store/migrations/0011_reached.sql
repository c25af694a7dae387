-- oldest release that may serve: 0.1.0

-- What a connection, or Slack ('#slack'), last answered, and since when it doesn't: a single call that got no answer
-- counts here, an outage is one that lasts.
CREATE TABLE reached (
    name TEXT PRIMARY KEY,
    answered_at DOUBLE PRECISION,
    silent_since DOUBLE PRECISION
);
