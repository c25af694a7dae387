-- good_until: until when a start by a plan may be sent, NULL for what is good until its deadline. delayed_by: what held
-- such a start up last before it was sent.
ALTER TABLE operations ADD COLUMN good_until DOUBLE PRECISION;
ALTER TABLE operations ADD COLUMN delayed_by TEXT NOT NULL DEFAULT '';
