-- oldest release that may serve: 0.1.0

-- lasts: for how many seconds a workspace was to run from when its start was asked for (NULL: nobody said).
ALTER TABLE operations ADD COLUMN lasts DOUBLE PRECISION;
