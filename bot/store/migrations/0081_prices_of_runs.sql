-- What a run was launched on, as far as is known, and the price of an hour.
ALTER TABLE runs ADD COLUMN template TEXT;
ALTER TABLE runs ADD COLUMN size TEXT;
ALTER TABLE runs ADD COLUMN price TEXT;
ALTER TABLE runs ADD COLUMN currency TEXT;
