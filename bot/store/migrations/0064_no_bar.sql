-- A start's card says when such starts are usually ready, and has no bar.
ALTER TABLE operations DROP COLUMN progress_floor;
