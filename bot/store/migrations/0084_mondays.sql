-- Who gets last week's hours on Mondays, and when next (bot/services/usage.py).
CREATE TABLE usage_mondays (principal TEXT PRIMARY KEY, due_at DOUBLE PRECISION NOT NULL);
CREATE INDEX usage_mondays_due ON usage_mondays (due_at);
INSERT INTO usage_mondays SELECT principal, weekly_at FROM preferences WHERE weekly_at IS NOT NULL;
DROP INDEX preferences_weekly;
ALTER TABLE preferences DROP COLUMN weekly_at;
