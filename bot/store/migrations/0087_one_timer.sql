-- A timer is described by planned_stops alone. Timers set by release 0.2.1 have only the columns.
UPDATE workspaces SET planned_stops = '{"at":' || stop_at || ',"mode":"' || COALESCE(stop_mode, 'stop')
    || '","agreed":' || CASE WHEN stop_agreed = 1 THEN 'true' ELSE 'false' END
    || ',"warns":' || CASE WHEN COALESCE(stop_card, stop_rule) IS NULL THEN 'false' ELSE 'true' END
    || ',"because":"' || CASE WHEN stop_card IS NOT NULL THEN 'class' WHEN stop_rule IS NOT NULL THEN 'hours' ELSE 'own' END
    || '","source":"' || COALESCE(stop_card, stop_rule, '') || '","since":' || stop_at
    || ',"via":"' || stop_via || '","start":"' || stop_start || '"}'
WHERE stop_at IS NOT NULL AND planned_stops = '';
UPDATE workspaces SET planned_stops = '{"rows":[' || planned_stops || '],"counts":' || planned_stops || '}'
WHERE SUBSTR(planned_stops, 1, 6) = '{"at":';
ALTER TABLE workspaces DROP COLUMN stop_mode;
ALTER TABLE workspaces DROP COLUMN stop_rule;
ALTER TABLE workspaces DROP COLUMN stop_via;
ALTER TABLE workspaces DROP COLUMN stop_start;
