-- What one process at a time does in its memory for all, by its name, and until when it is that process's unless it
-- renews it. The process itself is a row, too: web, worker or serve, and its own name.
CREATE TABLE owners (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL
);
CREATE INDEX owners_of_a_process ON owners (owner);
