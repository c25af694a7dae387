-- How often a task was claimed: whoever claimed it before doesn't end it or put it back any more.
ALTER TABLE tasks ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
