-- oldest release that may serve: 0.1.0

-- stop_via: through what a workspace's timer was asked for ('' by its person themself, 'assistant': Slack's).
ALTER TABLE workspaces ADD COLUMN stop_via TEXT NOT NULL DEFAULT '';
-- stop_start: the start that has to bring the workspace up for its timer to hold ('': it holds in any case).
ALTER TABLE workspaces ADD COLUMN stop_start TEXT NOT NULL DEFAULT '';
