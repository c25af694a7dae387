-- oldest release that may serve: 0.1.0

-- lineage: the server and its timeline that these rows are of (PostgreSQL). Where a connection finds another one, what
-- was committed since lost_since may be lost; noted_at is when that was seen.
CREATE TABLE lineage (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    server TEXT NOT NULL,
    lost_since DOUBLE PRECISION,
    noted_at DOUBLE PRECISION
);
