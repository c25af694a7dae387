-- oldest release that may serve: 0.1.0

-- release: the one that owns it; processes of 0.1.0 don't write it.
ALTER TABLE owners ADD COLUMN release TEXT NOT NULL DEFAULT '0.1.0';
