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

-- Kinds of messages that differed only in a sentence are one kind. Slack is searched by the key under which a message
-- may have been sent.
UPDATE notices SET sent_as = subject || '/' || kind || '/' || occasion
WHERE sent_as IS NULL AND state IN ('pending', 'retry', 'leased') AND kind IN (
    'refused', 'suspended', 'job_not_stopped', 'job_file_missing', 'approval_denied', 'approval_failed', 'approval_done'
);
UPDATE notices SET body = '{"problem":"not_stopped"' || CASE WHEN body = '{}' THEN '}' ELSE ',' || SUBSTR(body, 2) END
WHERE kind = 'job_not_stopped';
UPDATE notices SET body = '{"problem":"file_missing"' || CASE WHEN body = '{}' THEN '}' ELSE ',' || SUBSTR(body, 2) END
WHERE kind = 'job_file_missing';
UPDATE notices SET body = '{"ended":"denied"' || CASE WHEN body = '{}' THEN '}' ELSE ',' || SUBSTR(body, 2) END
WHERE kind = 'approval_denied';
UPDATE notices SET body = '{"ended":"failed"' || CASE WHEN body = '{}' THEN '}' ELSE ',' || SUBSTR(body, 2) END
WHERE kind = 'approval_failed';
UPDATE notices SET body = '{"ended":"linked"' || CASE WHEN body = '{}' THEN '}' ELSE ',' || SUBSTR(body, 2) END
WHERE kind = 'approval_done';
UPDATE notices SET kind = 'failed' WHERE kind = 'refused';
UPDATE cards SET kind = 'failed' WHERE kind = 'refused';
UPDATE notices SET kind = 'stopped' WHERE kind = 'suspended';
UPDATE cards SET kind = 'stopped' WHERE kind = 'suspended';
UPDATE notices SET kind = 'job_problem' WHERE kind = 'job_not_stopped';
UPDATE cards SET kind = 'job_problem' WHERE kind = 'job_not_stopped';
UPDATE notices SET kind = 'job_problem' WHERE kind = 'job_file_missing';
UPDATE cards SET kind = 'job_problem' WHERE kind = 'job_file_missing';
UPDATE notices SET kind = 'approval_ended' WHERE kind = 'approval_denied';
UPDATE cards SET kind = 'approval_ended' WHERE kind = 'approval_denied';
UPDATE notices SET kind = 'approval_ended' WHERE kind = 'approval_failed';
UPDATE cards SET kind = 'approval_ended' WHERE kind = 'approval_failed';
UPDATE notices SET kind = 'approval_ended' WHERE kind = 'approval_done';
UPDATE cards SET kind = 'approval_ended' WHERE kind = 'approval_done';
DROP INDEX notices_urgent;
CREATE INDEX notices_urgent ON notices (principal)
    WHERE kind IN ('ready', 'failed') AND state IN ('pending', 'retry');
