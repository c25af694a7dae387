-- The next moment that a message announces, or that one of its buttons is good until: it is drawn again then.
ALTER TABLE cards ADD COLUMN over_at DOUBLE PRECISION;
CREATE INDEX cards_over ON cards (over_at) WHERE over_at IS NOT NULL;

-- Messages of the release before say nothing of when they are over: they are drawn again once.
UPDATE cards SET is_dirty = 1, dirt = dirt + 1
WHERE is_notice = 1 AND stage = 'live' AND message_ts IS NOT NULL AND kind IN (
    'link_again', 'sign_in_refused', 'link_ending', 'timer_ending', 'timer_failed', 'needed', 'hours_paused', 'waiting',
    'job_waiting'
);
