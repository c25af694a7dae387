-- name: holder_of_username
SELECT * FROM accounts
WHERE connection = :connection AND username = :username AND username <> '' AND state <> 'revoking'
    AND principal <> :principal
ORDER BY CASE WHEN resting_since IS NULL THEN 0 ELSE 1 END, id LIMIT 1;

-- name: replace_account
DELETE FROM accounts WHERE principal = :principal AND connection = :connection AND state <> 'revoking'
RETURNING id, username, renamed_to, remote_id;

-- name: account
SELECT * FROM accounts WHERE principal = :principal AND connection = :connection
ORDER BY CASE WHEN state = 'revoking' THEN 1 ELSE 0 END, linked_at DESC, id LIMIT 1;

-- name: accounts
SELECT * FROM accounts WHERE principal = :principal AND state <> 'revoking' ORDER BY connection;

-- name: accounts_of_user_id
SELECT principal FROM accounts WHERE connection = :connection AND principal LIKE :anywhere;

-- name: people_of_same_email
SELECT other.principal FROM people one JOIN people other ON other.email = one.email
WHERE one.principal = :principal AND other.principal <> one.principal AND other.email IS NOT NULL;

-- name: was_unlinked
SELECT 1 FROM audit WHERE target = :target AND action = 'account.unlinked' LIMIT 1;

-- name: some_linked_people
SELECT DISTINCT principal FROM accounts WHERE state <> 'revoking' AND principal > :after_principal
ORDER BY principal LIMIT :limit;

-- name: some_people_with_hours
SELECT DISTINCT principal FROM rules WHERE principal > :after_principal ORDER BY principal LIMIT :limit;

-- name: some_active_and_resting_accounts
SELECT * FROM accounts WHERE (state = 'active' OR resting_since IS NOT NULL) AND state <> 'revoking' AND id > :after_id
ORDER BY id LIMIT :limit;

-- name: accounts_of_username
SELECT * FROM accounts WHERE username <> '' AND state <> 'revoking'
-- guards: Linking proves both sides
    AND connection = :connection
-- guards: Linking proves both sides
    AND username = :username
ORDER BY linked_at, id;

-- A gate that nobody can read any more has no due time, but keeps the earliest time of the next read.
-- name: rest_gate_without_reader
UPDATE gates SET due_at = NULL WHERE gate_key = :gate_key AND NOT EXISTS (
    SELECT 1 FROM workspaces w
    JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
    WHERE w.gate_key = :gate_key AND w.hidden = 0
);

-- name: places
SELECT * FROM places ORDER BY id;

-- A task's subject is the account's id, or begins with the id and a slash, which is the character before 0.
-- name: hurry_tasks_of_account
UPDATE tasks SET due_at = :now
WHERE kind IN ('discover', 'list_runs', 'snapshot', 'schedule')
    AND subject >= :account_id AND subject < :account_id || '0' AND is_leased = 0 AND due_at > :now;

-- name: introduction
SELECT 1 AS found FROM greetings WHERE principal = :principal
UNION ALL SELECT 1 AS found FROM participants WHERE principal = :principal LIMIT 1;

-- name: note_introduction
INSERT INTO greetings (principal, greeted_at)
SELECT CAST(:principal AS TEXT), CAST(:now AS DOUBLE PRECISION)
WHERE NOT EXISTS (SELECT 1 FROM participants WHERE principal = :principal)
ON CONFLICT DO NOTHING;
