-- oldest release that may serve: 0.1.0

-- stop_card: the class because of which a workspace's timer is set (NULL: it is its person's own).
ALTER TABLE workspaces ADD COLUMN stop_card TEXT;
CREATE INDEX workspaces_of_classes ON workspaces (stop_card) WHERE stop_card IS NOT NULL;
