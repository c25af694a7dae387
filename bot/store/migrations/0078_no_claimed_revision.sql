-- Whoever updates a message knows the revision that it claimed.
ALTER TABLE cards DROP COLUMN claimed_revision;
