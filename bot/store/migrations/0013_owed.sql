-- oldest release that may serve: 0.1.0

-- What a person is owed: told together after a silence, looked for together after attempts of unknown outcome.
CREATE INDEX notices_owed ON notices (principal, due_at) WHERE state IN ('pending', 'retry', 'leased');
