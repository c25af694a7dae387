-- What Slack said of channels that got another id, by the place in the keys of the people there. Events may come late
-- and in any order, so each is kept: a chain of changes leads to the id of today.
CREATE TABLE channel_ids (
    id TEXT NOT NULL,
    place TEXT NOT NULL,
    new_id TEXT NOT NULL,
    changed_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (place, id)
);
