-- oldest release that may serve: 0.1.0

-- stop_warning, warning: the notice that warns of the end by a timer, and of the end of a class (NULL: there is none to
-- wait for).
ALTER TABLE workspaces ADD COLUMN stop_warning TEXT;
ALTER TABLE participants ADD COLUMN warning TEXT;
