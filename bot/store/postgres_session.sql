-- name: was_audited
SELECT 1 AS found FROM (SELECT hash FROM audit ORDER BY seq DESC LIMIT 10000) latest WHERE hash = :hash;
