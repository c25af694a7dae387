-- Cards with one button for many people. look_at: when its counts, its warnings and its end are due next.
-- counted: what was drawn last; counted_at: when it was counted; changed_at: when that was something else last.
CREATE TABLE class_cards (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    connection TEXT NOT NULL,
    title TEXT NOT NULL,
    reference TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    pattern TEXT NOT NULL,
    recipe TEXT NOT NULL,
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

-- One row for each person and card: the press, the consent that it is, and what became of that. A workspace's row
-- goes with an unlink and its id never comes again: so does the consent.
CREATE TABLE class_presses (
    card_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    pressed_at DOUBLE PRECISION NOT NULL,
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
CREATE INDEX class_presses_of_stops ON class_presses (stop_operation_id) WHERE stop_operation_id IS NOT NULL;

-- Starts that nobody called yet, in the order in which they were asked for: a person's place among them.
CREATE INDEX operations_uncalled ON operations (connection, created_at) WHERE outcome IS NULL AND start_call = 'none';
