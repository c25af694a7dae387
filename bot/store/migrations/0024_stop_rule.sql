-- oldest release that may serve: 0.1.0

-- stop_rule: the hours because of which a workspace's timer is set (NULL: it is its person's own, or a class's).
ALTER TABLE workspaces ADD COLUMN stop_rule TEXT;
UPDATE workspaces SET stop_rule = (
    SELECT MIN(r.id) FROM rules r JOIN occurrences o ON o.rule_id = r.id
    WHERE r.workspace_id = workspaces.id AND o.became = 'timer' AND o.at = workspaces.stop_at
) WHERE stop_at IS NOT NULL AND stop_card IS NULL;
