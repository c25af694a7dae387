-- How long a start takes, worked out when it is accepted. start_kind: which starts it is compared with, in one Slack
-- workspace. usual_seconds: their median; slow_seconds: what nine of ten stayed below. NULL: too few are known.
ALTER TABLE operations ADD COLUMN start_kind TEXT;
ALTER TABLE operations ADD COLUMN usual_seconds DOUBLE PRECISION;
ALTER TABLE operations ADD COLUMN slow_seconds DOUBLE PRECISION;
CREATE INDEX operations_of_a_kind ON operations (start_kind, ended_at)
    WHERE start_kind IS NOT NULL AND outcome = 'fulfilled';
