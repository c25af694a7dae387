-- name: was_audited
SELECT 1 AS found FROM (SELECT * FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT 10000) latest
WHERE at = :at AND actor = :actor AND action = :action AND target = :target AND result = :result AND detail = :detail;
