-- oldest release that may serve: 0.1.0

-- detail: how much of a restored backup is on hold, by kind, and since when (JSON; NULL: nothing is).
ALTER TABLE upkeep ADD COLUMN detail TEXT;
