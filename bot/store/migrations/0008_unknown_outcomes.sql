-- What became of a call, and since when that is not known. None of these times lies ahead of the moment in which it
-- was written, except deadline_at (USHER_DEADLINE_MINUTES, a day at most).
-- unknown_since: when a call timed out, was answered unusably, or was found under way after a crash.
-- called_from: the state that was known when the call left. prior_call, prior_at: what a replaced operation had sent, and
-- when; it takes effect all the same. asked_at: since when its person is asked whether to do it once more.
-- held_since: since when something holds it up.
ALTER TABLE operations ADD COLUMN unknown_since DOUBLE PRECISION;
ALTER TABLE operations ADD COLUMN called_from TEXT;
ALTER TABLE operations ADD COLUMN prior_call TEXT NOT NULL DEFAULT 'none';
ALTER TABLE operations ADD COLUMN prior_at DOUBLE PRECISION;
ALTER TABLE operations ADD COLUMN asked_at DOUBLE PRECISION;
ALTER TABLE operations ADD COLUMN held_since DOUBLE PRECISION;

-- The same for runs. deadline_at: when the person of one that has not begun, or can't be looked at, is told.
ALTER TABLE jobs ADD COLUMN unknown_since DOUBLE PRECISION;
ALTER TABLE jobs ADD COLUMN asked_at DOUBLE PRECISION;
ALTER TABLE jobs ADD COLUMN held_since DOUBLE PRECISION;
ALTER TABLE jobs ADD COLUMN deadline_at DOUBLE PRECISION;
ALTER TABLE jobs ADD COLUMN deadline_number BIGINT NOT NULL DEFAULT 0;

-- up_at: when a read last showed it up. doubt: what reads say that is no news before it is said again (a refusal, that
-- it is gone, that it was left out), how often in a row they said it, and since when.
ALTER TABLE workspaces ADD COLUMN up_at DOUBLE PRECISION;
ALTER TABLE workspaces ADD COLUMN doubt TEXT;
ALTER TABLE workspaces ADD COLUMN doubt_times BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN doubt_since DOUBLE PRECISION;
ALTER TABLE jobs ADD COLUMN doubt TEXT;
ALTER TABLE jobs ADD COLUMN doubt_times BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN doubt_since DOUBLE PRECISION;
