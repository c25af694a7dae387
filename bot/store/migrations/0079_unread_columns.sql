-- Nothing reads or writes these any more.
ALTER TABLE preferences DROP COLUMN quiet_from;
ALTER TABLE preferences DROP COLUMN quiet_to;
ALTER TABLE runs DROP COLUMN output_ts;
ALTER TABLE people DROP COLUMN questioned_at;
ALTER TABLE accounts DROP COLUMN refused_for;
