-- When a person gets last week's hours next, NULL if they don't want them (bot/services/usage.py).
ALTER TABLE preferences ADD COLUMN weekly_at DOUBLE PRECISION;
CREATE INDEX preferences_weekly ON preferences (weekly_at) WHERE weekly_at IS NOT NULL;
-- Whether the card says that its teacher sees the hours of those who press it. Cards of earlier releases don't.
ALTER TABLE class_cards ADD COLUMN shows_hours BIGINT NOT NULL DEFAULT 0;
