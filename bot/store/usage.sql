-- name: begin_life
INSERT INTO lives (
    id, kind, subject, principal, connection, workspace_id, name, template, size, price, currency,
    began_earliest, began_latest, began_known, last_seen_at
)
SELECT :id, 'workspace', w.gate_key, w.principal, w.connection, w.id, COALESCE(w.alias, w.name),
    w.template, w.size, w.price, w.currency,
    CASE WHEN former.until > :earliest THEN former.until ELSE :earliest END,
    CASE WHEN former.until > :latest THEN former.until ELSE :latest END, :known, :seen_at
FROM workspaces w
CROSS JOIN (SELECT COALESCE(MAX(ended_latest), 0.0) AS until FROM lives WHERE subject = :subject) former
WHERE w.id = :workspace_id AND former.until <= :seen_at
ON CONFLICT DO NOTHING;

-- A life that a list found first gets its price from the first read that says one.
-- name: price_life
UPDATE lives SET template = :template, size = :size, price = :price, currency = :currency
WHERE workspace_id = :workspace_id AND ended_latest IS NULL AND price IS NULL;

-- A life whose end wasn't known goes on, as its provider says that it began before the last sign of life.
-- name: resume_life
UPDATE lives SET ended_earliest = NULL, ended_latest = NULL, ended_known = NULL, workspace_id = :workspace_id
WHERE id = (SELECT id FROM lives WHERE subject = :subject AND ended_latest IS NOT NULL ORDER BY began_latest DESC LIMIT 1)
    AND ended_known = 'unknown' AND ended_earliest >= :told_at;

-- A life that was found going on, if the one before it, whose end isn't known, is the same.
-- name: drop_continued_life
DELETE FROM lives WHERE subject = :subject AND workspace_id = :workspace_id AND ended_latest IS NULL
    AND began_known = 'unknown' AND EXISTS (
        SELECT 1 FROM lives former
        WHERE former.subject = :subject AND former.ended_known = 'unknown' AND former.ended_earliest >= :told_at
    );

-- name: tell_begin
UPDATE lives SET began_earliest = :told_at, began_latest = :told_at, began_known = 'told'
WHERE (subject = :subject OR workspace_id = :workspace_id) AND ended_latest IS NULL AND began_latest >= :told_at
    AND (began_known = 'unknown' OR (began_known = 'seen' AND began_earliest <= :told_at))
    AND NOT EXISTS (SELECT 1 FROM lives former WHERE former.subject = lives.subject AND former.ended_latest > :told_at);

-- name: end_life
UPDATE lives SET
    ended_earliest = CASE WHEN began_earliest > :earliest THEN began_earliest ELSE :earliest END,
    ended_latest = CASE WHEN began_latest > :latest THEN began_latest ELSE :latest END,
    ended_known = :known, last_seen_at = CASE WHEN last_seen_at > :up_at THEN last_seen_at ELSE :up_at END,
    used_at = (SELECT last_used_at FROM workspaces w WHERE w.id = :workspace_id)
WHERE (subject = :subject OR workspace_id = :workspace_id) AND ended_latest IS NULL;

-- Others who have the workspace on their lists still see what becomes of it.
-- name: lose_life
UPDATE lives SET
    ended_earliest = CASE WHEN last_seen_at > :up_at THEN last_seen_at ELSE :up_at END, ended_latest = :now,
    ended_known = 'unknown', last_seen_at = CASE WHEN last_seen_at > :up_at THEN last_seen_at ELSE :up_at END,
    used_at = :used_at
WHERE workspace_id = :workspace_id AND ended_latest IS NULL AND NOT EXISTS (
    SELECT 1 FROM workspaces w WHERE w.gate_key = :subject AND w.id <> :workspace_id AND w.owner IS NULL
);

-- name: rename_life
UPDATE lives SET workspace_id = :to_id WHERE workspace_id = :from_id;

-- name: open_life
UPDATE lives SET opened_at = :now WHERE workspace_id = :workspace_id AND ended_latest IS NULL;

-- What a call has to do with a change that a list shows.
-- name: calls_of_workspace
SELECT verb AS operation_verb, start_call, stop_call, called_at, prior_call, prior_at
FROM operations WHERE workspace_id = :workspace_id AND outcome IS NULL;

-- part: lives_read
SELECT l.*, w.up_at AS read_at, w.last_used_at AS read_used_at, r.observed_at AS run_read_at
FROM lives l
LEFT JOIN workspaces w ON w.id = l.workspace_id AND l.ended_latest IS NULL
LEFT JOIN runs r ON r.id = l.id AND l.ended_latest IS NULL

-- part: within
l.began_earliest < :until AND (l.ended_latest IS NULL OR l.ended_latest > :since)

-- name: lives_of_person
{lives_read} WHERE l.principal = :principal AND {within} ORDER BY l.began_earliest;

-- name: lives_of_card
{lives_read} JOIN participants p ON p.card_id = :card_id AND p.principal = l.principal AND p.workspace_id = l.workspace_id
WHERE {within} ORDER BY l.began_earliest, l.id;

-- name: ended_lives
SELECT l.*, NULL AS read_at, NULL AS read_used_at, NULL AS run_read_at FROM lives l
WHERE l.ended_latest IS NOT NULL AND (l.ended_latest, l.id) > (:after_ended_latest, :after_id) AND l.began_earliest < :until
ORDER BY l.ended_latest, l.id LIMIT :limit;

-- name: open_lives
{lives_read} WHERE l.ended_latest IS NULL AND l.subject > :after_subject AND l.began_earliest < :until
ORDER BY l.subject LIMIT :limit;

-- A run's life has the run's id. Later saves only add what wasn't known.
-- name: save_life_of_run
INSERT INTO lives (
    id, kind, subject, principal, connection, name, template, size, price, currency,
    began_earliest, began_latest, began_known, ended_earliest, ended_latest, ended_known, last_seen_at
)
VALUES (
    :id, 'run', :id, :principal, :connection, :name, :template, :size, :price, :currency,
    :began_earliest, :began_latest, :began_known,
    :ended_earliest, :ended_latest, :ended_known, :seen_at
)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name,
    began_earliest = CASE WHEN excluded.began_known = 'told' THEN excluded.began_earliest ELSE lives.began_earliest END,
    began_latest = CASE WHEN excluded.began_known = 'told' THEN excluded.began_latest ELSE lives.began_latest END,
    began_known = CASE WHEN excluded.began_known = 'told' THEN 'told' ELSE lives.began_known END,
    ended_earliest = excluded.ended_earliest, ended_latest = excluded.ended_latest, ended_known = excluded.ended_known,
    last_seen_at = excluded.last_seen_at;

-- name: old_lives
SELECT l.*, NULL AS read_at, NULL AS read_used_at, NULL AS run_read_at FROM lives l
WHERE l.ended_latest IS NOT NULL AND l.ended_latest < :before ORDER BY l.ended_latest, l.id LIMIT :limit;

-- name: add_to_sum
INSERT INTO usage_sums (month, connection, kind, template, currency, lives, hours, lowest, highest, unknown, cost)
VALUES (:month, :connection, :kind, :template, :currency, 1, :hours, :lowest, :highest, :unknown, :cost)
ON CONFLICT (month, connection, kind, template, currency) DO UPDATE SET
    lives = usage_sums.lives + 1, hours = usage_sums.hours + excluded.hours,
    lowest = usage_sums.lowest + excluded.lowest, highest = usage_sums.highest + excluded.highest,
    unknown = usage_sums.unknown + excluded.unknown, cost = usage_sums.cost + excluded.cost;

-- The hours of each life of people whose keys begin with :reach, and their price.
-- part: measured
SELECT * FROM (
    SELECT a.connection, a.principal, a.price, a.currency, (
        (CASE WHEN a.ended < :until THEN a.ended ELSE :until END)
        - (CASE WHEN a.began > :since THEN a.began ELSE :since END)
    ) / 3600.0 AS hours
    FROM (
        SELECT l.connection, l.principal, l.price, l.currency,
            CASE WHEN l.began_known = 'seen' THEN (l.began_earliest + l.began_latest) / 2 ELSE l.began_earliest END AS began,
            CASE WHEN COALESCE(l.read_at, l.run_read_at, 0.0) > l.last_seen_at THEN COALESCE(l.read_at, l.run_read_at)
                WHEN l.ended_latest IS NULL THEN l.last_seen_at
                WHEN l.ended_known = 'seen' THEN (l.ended_earliest + l.ended_latest) / 2 ELSE l.ended_earliest END AS ended
        FROM ({lives_read} WHERE SUBSTR(l.principal, 1, LENGTH(:reach)) = :reach AND {within}) l
    ) a
) b
WHERE b.hours > 0

-- name: sums_of_connections
SELECT m.connection AS name, m.price, m.currency, COUNT(*) AS lives, SUM(m.hours) AS hours
FROM ({measured}) m GROUP BY m.connection, m.price, m.currency;

-- name: sums_of_people
SELECT m.principal AS name, m.price, m.currency, COUNT(*) AS lives, SUM(m.hours) AS hours
FROM ({measured}) m GROUP BY m.principal, m.price, m.currency;

-- name: people_of_connections
SELECT m.connection, COUNT(DISTINCT m.principal) AS people FROM ({measured}) m GROUP BY m.connection;

-- name: people_of_all
SELECT COUNT(DISTINCT m.principal) AS people FROM ({measured}) m
WHERE m.connection IN (SELECT one.key FROM json_each(:connections) one);

-- name: some_past_runs
SELECT * FROM runs WHERE id > :after ORDER BY id LIMIT :limit;

-- name: some_past_entries
SELECT CAST(seq AS TEXT) AS id, at, actor, action, target, result, detail FROM audit
WHERE seq > CAST('0' || :after AS BIGINT) AND seq <= :last AND seq > 0 AND (
    action LIKE 'call.%' OR action LIKE 'operation.%' OR action LIKE 'workspace.%' OR action = 'job.end'
)
ORDER BY seq LIMIT :limit;

-- name: begin_past_life
INSERT INTO lives (
    id, kind, subject, principal, connection, workspace_id, name, began_earliest, began_latest, began_known,
    ended_earliest, ended_latest, ended_known, last_seen_at
)
SELECT :id, 'workspace', COALESCE(w.gate_key, 'past/' || given.id), :principal, :connection, given.id,
    COALESCE(w.alias, w.name, (SELECT MAX(name) FROM lives l WHERE l.workspace_id = given.id), given.id),
    :at, :at, 'asked', :at, :at, 'unknown', :at
FROM (SELECT CAST(:workspace_id AS TEXT) AS id) given
LEFT JOIN workspaces w ON w.id = given.id
WHERE NOT EXISTS (SELECT 1 FROM lives l WHERE l.workspace_id = given.id AND l.id NOT LIKE 'past%' AND l.began_latest < :at)
ON CONFLICT DO NOTHING;

-- name: begin_past_run
INSERT INTO lives (
    id, kind, subject, principal, connection, name, began_earliest, began_latest, began_known,
    ended_earliest, ended_latest, ended_known, last_seen_at
)
VALUES (:id, 'run', :id, :principal, :connection, :name, :at, :at, 'asked', :at, :at, 'unknown', :at)
ON CONFLICT DO NOTHING;

-- name: last_past_life
SELECT * FROM lives WHERE workspace_id = :workspace_id AND id LIKE 'past%' ORDER BY began_earliest DESC LIMIT 1;

-- A workspace that ran at the migration was started by this call.
-- name: tell_running_life
UPDATE lives SET
    began_known = CASE WHEN began_known = 'unknown' THEN 'asked' ELSE began_known END,
    began_earliest = CASE WHEN began_known = 'unknown' THEN CAST(:began_earliest AS DOUBLE PRECISION) ELSE began_earliest END
WHERE workspace_id = :workspace_id AND id NOT LIKE 'past%' AND began_latest >= :began_earliest - 120.0 AND began_latest <= :at;

-- What a workspace was called, where only its id was known.
-- name: name_past_lives
UPDATE lives SET name = :name WHERE workspace_id = :workspace_id AND name = workspace_id AND name <> :name;
