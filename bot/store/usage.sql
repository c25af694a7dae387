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

-- If a list was the first to find a life, the first read that reports a price sets the life's price.
-- name: price_life
UPDATE lives SET template = :template, size = :size, price = :price, currency = :currency
WHERE workspace_id = :workspace_id AND ended_latest IS NULL AND price IS NULL;

-- A life whose end wasn't known continues, because its provider says that it began before the last sign of life.
-- name: resume_life
UPDATE lives SET ended_earliest = NULL, ended_latest = NULL, ended_known = NULL, workspace_id = :workspace_id
WHERE id = (SELECT id FROM lives WHERE subject = :subject AND ended_latest IS NOT NULL ORDER BY began_latest DESC LIMIT 1)
    AND ended_known = 'unknown' AND ended_earliest >= :told_at;

-- Drop a life that was already in progress when it was found, if it continues the previous life, whose end isn't known.
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
    used_at = (SELECT last_used_at FROM workspaces w WHERE w.id = :workspace_id),
    name = COALESCE((SELECT COALESCE(w.alias, w.name) FROM workspaces w WHERE w.id = lives.workspace_id), name)
WHERE (subject = :subject OR workspace_id = :workspace_id) AND ended_latest IS NULL;

-- The life continues if others have the workspace on their lists, because they still see what becomes of it.
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

-- The calls that may have caused a change shown by a list.
-- name: calls_of_workspace
SELECT verb AS operation_verb, start_call, stop_call, called_at, prior_call, prior_at
FROM operations WHERE workspace_id = :workspace_id AND outcome IS NULL;

-- part: within
l.began_earliest < :before AND (l.ended_latest IS NULL OR l.ended_latest > :since)

-- Lives, and the beginning of the window in which each is measured.
-- part: windowed
SELECT l.*, CAST(:since AS DOUBLE PRECISION) AS counted_from FROM lives l

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
SELECT id, began_earliest, ended_latest FROM lives WHERE ended_latest < :before ORDER BY ended_latest, id LIMIT :limit;

-- name: add_to_sums
WITH given AS ({windowed} WHERE l.id IN (SELECT one.key FROM json_each(:ids) one) AND {within}), {measured}
INSERT INTO usage_sums (month, connection, kind, template, currency, lives, hours, lowest, highest, unknown, cost)
SELECT CAST(:month AS TEXT), m.connection, m.kind, COALESCE(m.template, ''), COALESCE(m.currency, ''), COUNT(*),
    COALESCE(SUM(m.hours) FILTER (WHERE m.hours > 0), 0.0), COALESCE(SUM(m.lowest) FILTER (WHERE m.lowest > 0), 0.0),
    COALESCE(SUM(m.highest) FILTER (WHERE m.highest > 0), 0.0), SUM(m.unknown),
    COALESCE(SUM(CAST(m.price AS DOUBLE PRECISION) * m.hours) FILTER (WHERE m.hours > 0), 0.0)
FROM measured m WHERE m.ended >= :since GROUP BY 2, 3, 4, 5
ON CONFLICT (month, connection, kind, template, currency) DO UPDATE SET
    lives = usage_sums.lives + excluded.lives, hours = usage_sums.hours + excluded.hours,
    lowest = usage_sums.lowest + excluded.lowest, highest = usage_sums.highest + excluded.highest,
    unknown = usage_sums.unknown + excluded.unknown, cost = usage_sums.cost + excluded.cost;

-- name: delete_lives
DELETE FROM lives WHERE id IN (SELECT one.key FROM json_each(:ids) one);

-- The likeliest, the fewest and the most hours of each given life within its window. All hours are measured in this
-- way. A life in progress is counted up to its last sign of life, and may have continued until now. If that sign is
-- older than :silent, the end isn't known. A line adds up the lives of a workspace, or of a job's runs. Hours below
-- zero count as none. The last sign of life may have been seen by anyone who has the workspace on their list.
-- part: measured
signed AS (
    SELECT g.*, COALESCE(w.alias, w.name, g.name) AS title, COALESCE(w.last_used_at, g.used_at) AS last_used_at,
        CASE WHEN g.ended_latest IS NOT NULL THEN 0.0
            WHEN g.kind = 'run' THEN COALESCE((SELECT r.observed_at FROM runs r WHERE r.id = g.id), 0.0)
            ELSE COALESCE((
                SELECT MAX(o.up_at) FROM workspaces o
                WHERE o.id = g.workspace_id OR (o.gate_key = g.subject AND o.owner IS NULL)
            ), 0.0) END AS sign_at
    FROM given g
    LEFT JOIN workspaces w ON w.id = g.workspace_id AND g.ended_latest IS NULL
), seen AS (
    SELECT s.*, CASE WHEN s.sign_at > s.last_seen_at THEN s.sign_at ELSE s.last_seen_at END AS last_sign_at FROM signed s
), bounded AS (
    SELECT s.*, CASE s.kind WHEN 'run' THEN s.connection || '/' || s.name ELSE s.subject END AS line,
        CASE WHEN s.ended_latest IS NULL AND s.last_sign_at >= :silent THEN 1 ELSE 0 END AS is_open,
        CASE WHEN s.began_known = 'seen' OR s.ended_known = 'seen' THEN 1 ELSE 0 END AS is_seen,
        CASE WHEN s.began_known = 'seen' THEN (s.began_earliest + s.began_latest) / 2 ELSE s.began_earliest END AS began,
        CASE WHEN s.ended_known = 'seen' THEN (s.ended_earliest + s.ended_latest) / 2
            ELSE COALESCE(s.ended_earliest, s.last_sign_at) END AS ended,
        COALESCE(s.ended_earliest, s.last_sign_at) AS ended_first,
        CASE WHEN s.ended_known = 'unknown' THEN s.ended_earliest WHEN s.ended_latest IS NOT NULL THEN s.ended_latest
            WHEN s.last_sign_at >= :silent THEN :now ELSE s.last_sign_at END AS ended_last,
        CASE WHEN s.ended_known = 'unknown' OR (s.ended_latest IS NULL AND s.last_sign_at < :silent)
            THEN COALESCE(s.ended_earliest, s.last_sign_at) END AS unknown_from
    FROM seen s
), measured AS (
    SELECT b.*,
        ((CASE WHEN b.ended < :until THEN b.ended ELSE :until END)
            - (CASE WHEN b.began > b.counted_from THEN b.began ELSE b.counted_from END)) / 3600.0 AS hours,
        ((CASE WHEN b.ended_first < :until THEN b.ended_first ELSE :until END)
            - (CASE WHEN b.began_latest > b.counted_from THEN b.began_latest ELSE b.counted_from END)) / 3600.0 AS lowest,
        ((CASE WHEN b.ended_last < :until THEN b.ended_last ELSE :until END)
            - (CASE WHEN b.began_earliest > b.counted_from THEN b.began_earliest ELSE b.counted_from END)) / 3600.0 AS highest,
        CASE WHEN b.unknown_from >= b.counted_from AND b.unknown_from < :until THEN 1 ELSE 0 END AS unknown
    FROM bounded b
)

-- part: of_person
WITH given AS ({windowed} WHERE l.principal = :principal AND {within}), {measured}

-- part: of_people
WITH given AS ({windowed} WHERE SUBSTR(l.principal, 1, LENGTH(:reach)) = :reach AND {within}), {measured}

-- name: lives_of_person
{of_person}
SELECT * FROM measured m ORDER BY m.began_earliest;

-- name: ended_lives
WITH given AS (
    {windowed}
    WHERE l.ended_latest IS NOT NULL AND (l.ended_latest, l.id) > (:after_ended_latest, :after_id) AND l.began_earliest < :before
    ORDER BY l.ended_latest, l.id LIMIT :limit
), {measured}
SELECT * FROM measured m ORDER BY m.ended_latest, m.id;

-- name: open_lives
WITH given AS (
    {windowed} WHERE l.ended_latest IS NULL AND l.subject > :after_subject AND l.began_earliest < :before
    ORDER BY l.subject LIMIT :limit
), {measured}
SELECT * FROM measured m ORDER BY m.subject;

-- name: usage_of_person
{of_person}
SELECT m.kind, m.line, m.connection, m.workspace_id, m.title, m.price, m.currency, m.is_open, m.is_seen, COUNT(*) AS lives,
    MAX(m.began) AS began, SUM(m.hours) FILTER (WHERE m.hours > 0) AS hours,
    SUM(m.lowest) FILTER (WHERE m.lowest > 0) AS lowest, SUM(m.highest) FILTER (WHERE m.highest > 0) AS highest,
    MAX(m.began_latest) FILTER (WHERE m.began_known = 'unknown' AND m.began_latest > :since) AS least_from,
    MAX(m.unknown_from) FILTER (WHERE m.unknown = 1) AS unknown_from, SUM(m.unknown) AS unknown
FROM measured m
WHERE m.ended >= :since AND m.began_earliest <= :until
GROUP BY m.kind, m.line, m.connection, m.workspace_id, m.title, m.price, m.currency, m.is_open, m.is_seen
ORDER BY began, m.is_open;

-- The workspace that ran longest without being opened or used, if that was at least :least seconds.
-- name: idle_of_person
{of_person}
SELECT i.title AS name, i.connection, i.workspace_id, i.since, i.until, i.is_open, i.is_use_known FROM (
    SELECT t.*, CASE WHEN t.last_used_at >= t.began_earliest THEN 1 ELSE 0 END AS is_use_known,
        CASE WHEN t.ended < :until THEN t.ended ELSE :until END AS until,
        CASE WHEN t.touched_at > t.began AND t.touched_at > :since THEN t.touched_at
            WHEN t.began > :since THEN t.began ELSE :since END AS since
    FROM (
        SELECT b.*, CASE WHEN b.opened_at > COALESCE(b.last_used_at, 0.0) THEN b.opened_at
            ELSE COALESCE(b.last_used_at, 0.0) END AS touched_at
        FROM bounded b
        WHERE b.kind = 'workspace'
    ) t
) i
WHERE i.until - i.since >= :least
ORDER BY i.until - i.since DESC, i.began DESC LIMIT 1;

-- name: sums_of_connections
{of_people}
SELECT m.connection AS name, m.price, m.currency, COUNT(*) AS lives, SUM(m.hours) AS hours
FROM measured m WHERE m.hours > 0 GROUP BY m.connection, m.price, m.currency;

-- name: sums_of_people
{of_people}
SELECT m.principal AS name, m.price, m.currency, COUNT(*) AS lives, SUM(m.hours) AS hours
FROM measured m WHERE m.hours > 0 GROUP BY m.principal, m.price, m.currency;

-- The sums of a class, counted from when each person pressed the button.
-- name: sums_of_class
WITH given AS (
    SELECT l.*, CASE WHEN p.joined_at > :since THEN p.joined_at ELSE CAST(:since AS DOUBLE PRECISION) END AS counted_from
    FROM participants p JOIN lives l ON l.principal = p.principal AND l.workspace_id = p.workspace_id
    WHERE p.card_id = :card_id AND p.withdrawn_at IS NULL AND {within}
), {measured}
SELECT m.principal AS name, m.price, m.currency, COUNT(*) AS lives, SUM(m.hours) AS hours
FROM measured m WHERE m.hours > 0 GROUP BY m.principal, m.price, m.currency;

-- name: people_of_connections
{of_people}
SELECT m.connection, COUNT(DISTINCT m.principal) AS people FROM measured m WHERE m.hours > 0 GROUP BY m.connection;

-- name: people_of_all
{of_people}
SELECT COUNT(DISTINCT m.principal) AS people FROM measured m
WHERE m.hours > 0 AND m.connection IN (SELECT one.key FROM json_each(:connections) one);

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

-- This call started a workspace that was running at the time of the migration.
-- name: tell_running_life
UPDATE lives SET
    began_known = CASE WHEN began_known = 'unknown' THEN 'asked' ELSE began_known END,
    began_earliest = CASE WHEN began_known = 'unknown' THEN CAST(:began_earliest AS DOUBLE PRECISION) ELSE began_earliest END
WHERE workspace_id = :workspace_id AND id NOT LIKE 'past%' AND began_latest >= :began_earliest - 120.0 AND began_latest <= :at;

-- Fill in the name of a workspace if only its id was known.
-- name: name_past_lives
UPDATE lives SET name = :name WHERE workspace_id = :workspace_id AND name = workspace_id AND name <> :name;
