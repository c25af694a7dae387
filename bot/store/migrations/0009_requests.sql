-- oldest release that may serve: 0.1.0

-- requested: when somebody last asked for which links, by connection.
ALTER TABLE people ADD COLUMN requested TEXT NOT NULL DEFAULT '{}';
