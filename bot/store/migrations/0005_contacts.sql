-- Who has been told once what Usher is. Everybody who used it before this was kept needs no introduction.

CREATE TABLE contacts (
    principal TEXT PRIMARY KEY,
    met_at DOUBLE PRECISION NOT NULL
);

INSERT INTO contacts (principal, met_at)
SELECT principal, 0 FROM accounts
UNION SELECT principal, 0 FROM links
UNION SELECT principal, 0 FROM operations
UNION SELECT principal, 0 FROM runs
UNION SELECT principal, 0 FROM workspaces;
