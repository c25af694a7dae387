-- Since when Slack takes the refresh token of an installation no more: the token can't be replaced.
ALTER TABLE installations ADD COLUMN lost_at DOUBLE PRECISION;
