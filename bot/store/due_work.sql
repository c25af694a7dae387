-- Grouping by an expression keeps SQLite from going through the index of kinds.
-- name: overdue_tasks
SELECT COALESCE(kind, '') AS kind, COUNT(*) AS count FROM tasks WHERE due_at <= :now GROUP BY COALESCE(kind, '');
