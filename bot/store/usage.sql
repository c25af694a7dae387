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

-- Lives, with the last sign of each and when it was last used.
-- part: lives_read
SELECT l.*, COALESCE(w.last_used_at, l.used_at) AS last_used_at,
    CASE WHEN COALESCE(w.up_at, r.observed_at, 0.0) > l.last_seen_at THEN COALESCE(w.up_at, r.observed_at)
        ELSE l.last_seen_at END AS last_sign_at
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
SELECT l.*, l.used_at AS last_used_at, l.last_seen_at AS last_sign_at FROM lives l
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
SELECT l.*, l.used_at AS last_used_at, l.last_seen_at AS last_sign_at FROM lives l
WHERE l.ended_latest IS NOT NULL AND l.ended_latest < :before ORDER BY l.ended_latest, l.id LIMIT :limit;

-- name: add_to_sum
INSERT INTO usage_sums (month, connection, kind, template, currency, lives, hours, lowest, highest, unknown, cost)
VALUES (:month, :connection, :kind, :template, :currency, 1, :hours, :lowest, :highest, :unknown, :cost)
ON CONFLICT (month, connection, kind, template, currency) DO UPDATE SET
    lives = usage_sums.lives + 1, hours = usage_sums.hours + excluded.hours,
    lowest = usage_sums.lowest + excluded.lowest, highest = usage_sums.highest + excluded.highest,
    unknown = usage_sums.unknown + excluded.unknown, cost = usage_sums.cost + excluded.cost;

-- The likeliest, the fewest and the most hours of each given life within a window (``Life.measure``). A line adds up the lives
-- of a workspace, or of the runs of a job. A life seen before :silent has no known end.
-- part: measured
bounded AS (
    SELECT g.*, CASE g.kind WHEN 'run' THEN g.connection || '/' || g.name ELSE g.subject END AS line,
        CASE WHEN g.ended_latest IS NULL AND g.last_sign_at >= :silent THEN 1 ELSE 0 END AS is_open,
        CASE WHEN g.began_known = 'seen' OR g.ended_known = 'seen' THEN 1 ELSE 0 END AS is_seen,
        CASE WHEN g.began_known = 'seen' THEN (g.began_earliest + g.began_latest) / 2 ELSE g.began_earliest END AS began,
        CASE WHEN g.ended_known = 'seen' THEN (g.ended_earliest + g.ended_latest) / 2
            ELSE COALESCE(g.ended_earliest, g.last_sign_at) END AS ended,
        COALESCE(g.ended_earliest, g.last_sign_at) AS ended_first,
        CASE WHEN g.ended_known = 'unknown' THEN g.ended_earliest WHEN g.ended_latest IS NOT NULL THEN g.ended_latest
            WHEN g.last_sign_at >= :silent THEN :now ELSE g.last_sign_at END AS ended_last,
        CASE WHEN g.ended_known = 'unknown' OR (g.ended_latest IS NULL AND g.last_sign_at < :silent)
            THEN COALESCE(g.ended_earliest, g.last_sign_at) END AS unknown_from
    FROM given g
), measured AS (
    SELECT b.*,
        ((CASE WHEN b.ended < :until THEN b.ended ELSE :until END)
            - (CASE WHEN b.began > :since THEN b.began ELSE :since END)) / 3600.0 AS hours,
        ((CASE WHEN b.ended_first < :until THEN b.ended_first ELSE :until END)
            - (CASE WHEN b.began_latest > :since THEN b.began_latest ELSE :since END)) / 3600.0 AS lowest,
        ((CASE WHEN b.ended_last < :until THEN b.ended_last ELSE :until END)
            - (CASE WHEN b.began_earliest > :since THEN b.began_earliest ELSE :since END)) / 3600.0 AS highest
    FROM bounded b
)

-- part: of_person
WITH given AS ({lives_read} WHERE l.principal = :principal AND {within}), {measured}

-- part: of_people
WITH given AS ({lives_read} WHERE SUBSTR(l.principal, 1, LENGTH(:reach)) = :reach AND {within}), {measured}

-- name: usage_of_person
{of_person}
SELECT m.kind, m.line, m.connection, m.workspace_id, m.name, m.price, m.currency, m.is_open, m.is_seen, COUNT(*) AS lives,
    MAX(m.began) AS began, SUM(m.hours) FILTER (WHERE m.hours > 0) AS hours,
    SUM(m.lowest) FILTER (WHERE m.lowest > 0) AS lowest, SUM(m.highest) FILTER (WHERE m.highest > 0) AS highest,
    MAX(m.began_latest) FILTER (WHERE m.began_known = 'unknown' AND m.began_latest > :since) AS least_from,
    MAX(m.unknown_from) FILTER (WHERE m.unknown_from < :until) AS unknown_from,
    COUNT(m.unknown_from) FILTER (WHERE m.unknown_from < :until) AS unknown
FROM measured m
WHERE m.ended >= :since
GROUP BY m.kind, m.line, m.connection, m.workspace_id, m.name, m.price, m.currency, m.is_open, m.is_seen
ORDER BY began, m.is_open;

-- The workspace that ran longest without being opened or used.
-- name: idle_of_person
{of_person}
SELECT i.*, i.until - i.since AS seconds FROM (
    SELECT t.name, t.connection, t.workspace_id, t.is_open, t.last_used_at, t.began, t.began_earliest,
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
ORDER BY seconds DESC, i.began DESC LIMIT 1;

-- name: sums_of_connections
{of_people}
SELECT m.connection AS name, m.price, m.currency, COUNT(*) AS lives, SUM(m.hours) AS hours
FROM measured m WHERE m.hours > 0 GROUP BY m.connection, m.price, m.currency;

-- name: sums_of_people
{of_people}
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

-- A workspace that ran at the migration was started by this call.
-- name: tell_running_life
UPDATE lives SET
    began_known = CASE WHEN began_known = 'unknown' THEN 'asked' ELSE began_known END,
    began_earliest = CASE WHEN began_known = 'unknown' THEN CAST(:began_earliest AS DOUBLE PRECISION) ELSE began_earliest END
WHERE workspace_id = :workspace_id AND id NOT LIKE 'past%' AND began_latest >= :began_earliest - 120.0 AND began_latest <= :at;

-- What a workspace was called, where only its id was known.
-- name: name_past_lives
UPDATE lives SET name = :name WHERE workspace_id = :workspace_id AND name = workspace_id AND name <> :name;
