-- oldest release that may serve: 0.2.1

-- failed_at: the first read since its call that found a workspace failed as before it.
ALTER TABLE operations ADD COLUMN failed_at DOUBLE PRECISION;
