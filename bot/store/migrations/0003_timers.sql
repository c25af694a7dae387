-- Timers: when a person wants a workspace stopped. stop_mode: stop or suspend. stop_agreed: they agreed that this
-- ends it for good. stop_warned: they were warned, or have named an end so near that they need not be. stop_look_at:
-- when the warning or the stop is due; claimed by moving it on.
ALTER TABLE workspaces ADD COLUMN stop_at DOUBLE PRECISION;
ALTER TABLE workspaces ADD COLUMN stop_mode TEXT;
ALTER TABLE workspaces ADD COLUMN stop_agreed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN stop_warned BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN stop_look_at DOUBLE PRECISION;
CREATE INDEX workspaces_timed ON workspaces (stop_look_at) WHERE stop_look_at IS NOT NULL;

-- The time of the timer that an operation carries out.
ALTER TABLE operations ADD COLUMN planned_for DOUBLE PRECISION;
