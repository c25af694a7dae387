-- oldest release that may serve: 0.1.0

-- started_at: when a rule last started its workspace (NULL: it hasn't yet). unused: how many times in a row it did that
-- and nobody used the workspace before the next time; below 0 after its person said that the hours go on.
ALTER TABLE rules ADD COLUMN started_at DOUBLE PRECISION;
ALTER TABLE rules ADD COLUMN unused INTEGER NOT NULL DEFAULT 0;

-- asked_at: when its person last opened a workspace or asked anything of it; used_at counts what time does, too.
ALTER TABLE workspaces ADD COLUMN asked_at DOUBLE PRECISION;
