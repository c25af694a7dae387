-- What 0.2.1 kept beside, for releases before it: its tasks, under the words of today, its messages in threads, and the
-- order in which it sent.
INSERT INTO tasks (id, kind, subject, payload, joined, created_at, due_at, attempts)
SELECT id, CASE kind
    WHEN 'revocation' THEN 'revoke_secret' WHEN 'renewal' THEN 'renew' WHEN 'look_up_user' THEN 'find_user'
    WHEN 'open_approval' THEN 'ask_whose' WHEN 'follow' THEN 'go_on' ELSE kind END,
    subject, payload, joined, created_at, due_at, attempts
FROM later_tasks WHERE 1 = 1
ON CONFLICT DO NOTHING;
DROP TABLE later_tasks;
UPDATE cards SET message_ts = CASE WHEN later_ts <> '' THEN later_ts END WHERE later_ts IS NOT NULL;
DROP INDEX cards_later;
DROP INDEX cards_of_later_threads;
ALTER TABLE cards DROP COLUMN later_ts;
UPDATE notices SET class = class - 10 WHERE class IN (11, 12, 13);
