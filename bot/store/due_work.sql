-- By an expression: SQLite would walk the index of kinds.
-- name: overdue_tasks
SELECT COALESCE(kind, '') AS kind, COUNT(*) AS count FROM tasks WHERE due_at <= :now GROUP BY COALESCE(kind, '');
