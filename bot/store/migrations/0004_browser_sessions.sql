-- Who is signed in in which browser, known by the SHA-256 of what its cookie holds. user_id stands beside the
-- principal, so that all of a person's end together whatever enterprise a sign-in named.
CREATE TABLE browser_sessions (
    id_hash TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX browser_sessions_of_a_user ON browser_sessions (user_id);
CREATE INDEX browser_sessions_expiry ON browser_sessions (expires_at);
