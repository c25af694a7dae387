-- When the serving process last wrote that it lives, and how far its time was ahead of the machine's monotonic clock in
-- which run of the machine: a start tells by that whether a clock was moved while nobody served.
CREATE TABLE serving (
    id BIGINT PRIMARY KEY,
    seen_at DOUBLE PRECISION NOT NULL,
    ahead DOUBLE PRECISION NOT NULL,
    boot TEXT NOT NULL
);
-- When daily work was last done; how far each time may lie ahead stands in bot/store/times.py.
CREATE TABLE upkeep (
    work TEXT PRIMARY KEY,
    done_at DOUBLE PRECISION NOT NULL
);
