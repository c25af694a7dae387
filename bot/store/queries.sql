-- Every statement that decides something, by name, in the order of bot/store/*.py; what is read and written by key
-- alone stands in bot/store/tables.py. A row's columns are named there: {model} are all of its model's, with their
-- values, {replaced} the same on a conflict, {changes} those that a caller sets. Portable between SQLite and PostgreSQL:
-- no scalar MIN/MAX, no IN over a parameter, conflicts by ON CONFLICT, results by RETURNING. What only PostgreSQL
-- is told stands in a comment that begins with its name: who claims side by side there skips what another claims,
-- and what is read to be changed while others claim is locked. SQLite has one writer. What is
-- claimed is chosen as an array, once: PostgreSQL may run a subquery again for each row, and would choose others.
-- What is run for many rows there gets all of them as :each, and other parameters are columns of it.
-- "guards: RULE" stands above a condition that keeps a rule behind an earlier guard (bot/support/guards.py).

-- A part is what {its_name} stands for in the queries below. {errands} is operations or runs: what stands here of
-- both is asked of either.

-- It is stepped at once; if a step holds it, as soon as that is saved. woken is one of bot.store.errands.Woken.
-- part: at_once
woken = CASE WHEN leased_until > :now
-- guards: People ask, the reconciler observes
    AND woken < 3
    THEN 3 ELSE woken END,
    next_step_at = CASE WHEN leased_until > :now OR next_step_at < :now THEN next_step_at ELSE :now END

-- A call found in flight when its row is claimed got no answer: its process has ended.
-- ``Notice.is_harmless`` says the same of one.
-- part: missed
state = 'dead' AND kind NOT IN {HARMLESS} AND COALESCE(error, '') NOT IN {UNREAD}

-- part: claimed
next_step_at = :until, leased_until = :until, claim = :claim, woken = 0,
    unknown_since = CASE WHEN start_call = 'calling' OR stop_call = 'calling' THEN :now ELSE unknown_since END,
    start_call = CASE WHEN start_call = 'calling' THEN 'unknown' ELSE start_call END,
    stop_call = CASE WHEN stop_call = 'calling' THEN 'unknown' ELSE stop_call END

-- What was claimed in the lost seconds before a failover is over: ``bot.store.upkeep.SETTLES``.
-- part: settled
NOT EXISTS (SELECT 1 FROM lineage WHERE noted_at + 62.0 > :now)

-- How many of :limit calls still fit into the minute; none while Slack wants a pause, or a failover hasn't settled.
-- part: room
(SELECT CASE WHEN EXISTS (
            SELECT 1 FROM slack_methods WHERE team = :team AND method = :method AND paused_until > :now
        ) OR NOT {settled} OR COUNT(*) >= :most THEN 0
        WHEN :most - COUNT(*) < :limit THEN :most - COUNT(*)
        ELSE :limit END
    FROM slack_calls WHERE team = :team AND method = :method AND made_at > :since)

-- Whether a message may have been sent in the lost seconds before a failover, and wasn't looked for since: what waits for
-- a read was. What is about an operation or a run that is older may have been, whenever it is written; what is about
-- anything else, for ten minutes.
-- part: doubted
EXISTS (
        SELECT 1 FROM lineage l WHERE l.noted_at > COALESCE(
                (SELECT o.created_at FROM operations o WHERE o.id = notices.subject),
                (SELECT r.created_at FROM runs r WHERE r.id = notices.subject),
                notices.created_at - CASE WHEN notices.kind IN ('message', 'reply', 'lost') THEN 0.0 ELSE 600.0 END
            ) AND NOT (
                (COALESCE(notices.error, '') = 'not sent' OR COALESCE(notices.error, '') LIKE 'to be read:%')
                AND notices.leased_at >= l.noted_at
            )
    )

-- What has become of the message about the end of an operation or a run (:id): ``EndState`` of ``bot.domain.notices``. The
-- card of a run stays beside it where a file is below the card.
-- part: end_state
CASE
    WHEN EXISTS (
        SELECT 1 FROM notices e
        WHERE e.subject = :id AND e.state = 'sent' AND (e.message_ts <> '' OR e.held_by IS NOT NULL)
            AND e.kind IN {END} AND NOT EXISTS (
                SELECT 1 FROM notices f
                WHERE f.subject = e.subject AND f.kind = 'job_file'
                    AND (f.created_at < e.created_at OR e.held_by IS NOT NULL)
            )
    ) THEN 'sent'
    WHEN EXISTS (
        SELECT 1 FROM notices e
        WHERE e.subject = :id AND e.kind IN {END} AND e.state IN ('pending', 'retry', 'leased')
    ) THEN 'pending'
    ELSE '' END

-- Only the process that has a connection's starts makes them.
-- part: starts_here
NOT (verb IN ('start', 'restart', 'create') AND start_call <> 'accepted' AND EXISTS (
    SELECT 1 FROM owners o
    WHERE o.name = 'starts:' || operations.connection AND o.owner <> :owner AND o.until > :now
))

-- Only the process that follows a run's output steps it.
-- part: output_here
NOT EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'output:' || runs.id AND o.owner <> :owner AND o.until > :now
)

-- Only the process that has begun to read everybody goes on with it.
-- part: people_here
NOT (kind = 'sync_people' AND EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'people' AND o.owner <> :owner AND o.until > :now
))

-- Whoever is first in line for a kind of room is due, a minute after the last attempt for it and while there is no
-- other; and whoever waits no longer. The others are looked at whatever the line does. The line goes by rounds.
-- part: has_turn
(
    state <> 'waiting' OR waits.until <= :now OR NOT EXISTS (
        SELECT 1 FROM waits other WHERE other.connection = waits.connection AND other.kind = waits.kind AND (
            other.state = 'trying' OR other.tried_at + 60.0 > :now
            OR (other.state = 'waiting' AND (other.round, other.seq, other.id) < (waits.round, waits.seq, waits.id))
        )
    )
)

-- A stop comes no sooner after its warning than promised (:heard).
-- part: warned_in_time
NOT (
    stop_warned = 1 AND stop_at <= :now AND COALESCE((
        SELECT n.message_ts <> '' AND n.sent_at > :heard FROM notices n WHERE n.id = workspaces.stop_warning
    ), FALSE)
)

-- After a long absence a warning is void: nobody knows what its person has done since. One that wasn't delivered is none
-- (what wasn't so any more ended without a message), unless it never can be, or Slack has taken none for long (:waited) and
-- it isn't for a class that may end something for good.
-- part: timer_claimed
stop_warned = CASE
        WHEN stop_look_at < :absent AND stop_at < :absent THEN 0
        WHEN stop_warning IS NOT NULL AND NOT COALESCE((
            SELECT CASE WHEN n.state = 'sent' THEN n.message_ts <> ''
                ELSE n.state = 'dead' OR (n.created_at <= :waited AND (stop_card IS NULL OR stop_agreed = 0)) END
            FROM notices n WHERE n.id = workspaces.stop_warning
        ), FALSE) THEN 0
        ELSE stop_warned END,
    stop_look_at = :until

-- An end that is announced while something is done with the workspace is announced once that is over. The occasion of the
-- notice is the announced end; an end that moved by less than a minute is the same.
-- part: end_is_news
state IN ('running', 'stopped')
    AND EXISTS (
        SELECT 1 FROM accounts a
        WHERE a.principal = workspaces.principal AND a.connection = workspaces.connection AND a.state = 'active'
    )
    AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.workspace_id = workspaces.id AND o.outcome IS NULL)
    AND NOT EXISTS (
        SELECT 1 FROM notices n
        WHERE n.subject = workspaces.id AND n.kind = 'ending'
            AND ABS(CAST(n.occasion AS DOUBLE PRECISION) - workspaces.ends_at) <= 60
    )

-- Only the process that follows a run's output looks for a message about it.
-- part: output_followed_here
NOT EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'output:' || notices.subject AND o.owner <> :owner AND o.until > :now
)

-- part: unsure_claimed
unknown_since = COALESCE(unknown_since, CASE WHEN {doubted} THEN (SELECT lost_since FROM lineage) END, leased_at),
    state = 'leased', attempts = attempts + 1, leased_at = :now, due_at = :until

-- == operations and runs ==

-- What steps need to know of whom they act for. An account that is being revoked is so only when alone.
-- part: acting
LEFT JOIN accounts a ON a.id = (
        SELECT c.id FROM accounts c WHERE c.principal = o.principal AND c.connection = o.connection
        ORDER BY CASE WHEN c.state = 'revoking' THEN 1 ELSE 0 END, c.linked_at DESC, c.id LIMIT 1
    )
LEFT JOIN people p ON p.principal = o.principal

-- name: claimed_operations
SELECT o.id, {columns w a p} FROM json_each(:ids) wanted
JOIN operations o ON o.id = wanted.key
LEFT JOIN workspaces w ON w.id = o.workspace_id
{acting};

-- name: watched_runs
SELECT * FROM runs WHERE is_watched = 1 AND remote_id IS NOT NULL AND is_orphan = 0 AND {output_here}
ORDER BY created_at;

-- name: claimed_runs
SELECT o.id, {columns a p} FROM json_each(:ids) wanted
JOIN runs o ON o.id = wanted.key
{acting};

-- name: keep_waiting
UPDATE {errands} SET deadline_at = :deadline_at, deadline_number = deadline_number + 1, {at_once}
WHERE id = :id AND outcome IS NULL
RETURNING *;

-- Answers the question whether to make another one, once; a result found meanwhile takes precedence.
-- name: repeat
UPDATE {errands} SET
    start_call = 'none', asked_at = NULL, unknown_since = NULL, attempts = 0, {changes},
    {at_once}
WHERE id = :id AND outcome IS NULL AND asked_at IS NOT NULL AND start_call IN ('unknown', 'interrupted')
RETURNING *;

-- name: resume
UPDATE {errands} SET {changes}, {at_once} WHERE id = :id AND outcome IS NULL;

-- is_beside: written by somebody other than the step that holds the lease; that step keeps it.
-- name: save
UPDATE {errands} SET
    next_step_at = CASE
        WHEN :is_beside = 1 THEN next_step_at
        WHEN :keeps_lease = 1 THEN :next_step_at
        WHEN woken >= 3 OR (woken = 2 AND :waits <> 'time') OR (woken = 1 AND :waits = 'read') THEN :now
        ELSE :next_step_at END,
    leased_until = CASE
        WHEN :is_beside = 1 THEN leased_until
        WHEN :keeps_lease = 1 THEN :next_step_at
        ELSE 0 END,
    claim = CASE WHEN :is_beside = 1 OR :keeps_lease = 1 THEN claim ELSE '' END,
    woken = CASE
        WHEN :is_beside = 1 AND woken < 3 THEN 3
        WHEN :is_beside = 1 OR :keeps_lease = 1 THEN woken
        ELSE 0 END,
    {changes}
WHERE id = :id{same}
RETURNING *;

-- == what follows from one row for many: some of them, after the last of an earlier piece ==

-- name: some_workspaces_of
SELECT * FROM workspaces WHERE principal = :principal AND connection = :connection AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_runs_of
SELECT * FROM runs WHERE principal = :principal AND connection = :connection AND is_orphan = 0 AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_acts_of
SELECT * FROM acts WHERE principal = :principal AND connection = :connection AND id > :after ORDER BY id LIMIT :limit;

-- name: some_open_operations_of
SELECT * FROM operations
WHERE principal = :principal AND connection = :connection AND outcome IS NULL AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_open_runs_of
SELECT * FROM runs
WHERE principal = :principal AND connection = :connection AND outcome IS NULL AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_silent_operations
-- Those whose hold, or whose read's, begins like the sentence that a connection doesn't answer.
SELECT * FROM operations
WHERE
    connection = :connection AND outcome IS NULL AND id > :after
    AND :beginning IN (SUBSTR(hold, 1, LENGTH(:beginning)), SUBSTR(read_hold, 1, LENGTH(:beginning)))
ORDER BY id LIMIT :limit;

-- name: some_silent_runs
SELECT * FROM runs
WHERE
    connection = :connection AND outcome IS NULL AND id > :after
    AND SUBSTR(hold, 1, LENGTH(:beginning)) = :beginning
ORDER BY id LIMIT :limit;

-- name: some_rules_of
SELECT * FROM rules WHERE principal = :principal AND connection = :connection AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_rules_of_person
SELECT * FROM rules WHERE principal = :principal AND id > :after ORDER BY id LIMIT :limit;

-- name: some_held_accounts
SELECT * FROM accounts
WHERE connection = :connection AND refused_since IS NOT NULL AND state = 'active' AND id > :after
ORDER BY id LIMIT :limit;

-- name: some_told_together
SELECT * FROM notices WHERE held_by = :notice AND state IN ('pending', 'retry', 'leased') AND id > :after
ORDER BY id LIMIT :limit;

-- == inbox, people, audit ==

-- name: signatures_since
SELECT seen_at, signatures FROM signatures WHERE seen_at > :since ORDER BY seen_at;

-- name: forget_signatures
DELETE FROM signatures WHERE id IN (
    SELECT id FROM signatures WHERE seen_at <= :before ORDER BY seen_at LIMIT :limit
);

-- name: save_person
INSERT INTO people {model} ON CONFLICT (principal) DO UPDATE SET {replaced}
WHERE excluded.seen_at >= people.seen_at OR people.seen_at > :now;

-- name: members
SELECT principal, name, handle, email FROM people
WHERE principal >= :place AND principal < :beyond
    AND is_deleted = 0 AND is_bot = 0 AND is_guest = 0 AND is_stranger = 0;

-- The head is written before it is read: that locks it, so two writers can't append the same seq.
-- name: lengthen_audit
UPDATE audit_head SET count = count + :more WHERE id = 1 RETURNING count, hash;

-- name: end_audit
UPDATE audit_head SET hash = :hash WHERE id = 1;

-- name: audit_head
SELECT count, hash FROM audit_head WHERE id = 1;

-- name: note_failover
UPDATE lineage SET
    server = :server, noted_at = :now, lost_since = COALESCE((SELECT at FROM audit ORDER BY seq DESC LIMIT 1), 0.0)
WHERE id = 1 AND server <> :server;

-- name: failover
SELECT lost_since, noted_at FROM lineage WHERE noted_at IS NOT NULL;

-- name: was_audited
SELECT 1 AS found FROM (SELECT hash FROM audit ORDER BY seq DESC LIMIT 10000) latest WHERE hash = :hash;

-- name: audit_entries
SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit;

-- name: migrated
SELECT name FROM migrations ORDER BY name;

-- name: schema_changes
SELECT name, oldest FROM schema_changes ORDER BY name;

-- part: is_here
substr(principal, 1, length(:place)) = :place

-- name: statistics
SELECT
    (SELECT COUNT(*) FROM operations WHERE outcome IS NULL) AS open_operations,
    (SELECT COUNT(*) FROM runs WHERE outcome IS NULL) AS open_runs,
    (SELECT COUNT(*) FROM notices WHERE state IN ('pending', 'retry', 'leased')) AS pending_notices,
    (SELECT COUNT(*) FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL
        AND stage = 'live') AS waiting_edits,
    (SELECT COUNT(*) FROM notices WHERE {missed}) AS dead_notices,
    (SELECT COUNT(*) FROM accounts WHERE state = 'revoking') AS owed_revocations,
    (SELECT COUNT(*) FROM tasks) AS tasks;

-- What grows with people is counted in batches, each with the last of its rows.
-- name: count_accounts
SELECT COUNT(*) AS size, MAX(id) AS last FROM (
    SELECT id FROM accounts WHERE state <> 'revoking' AND id > :after ORDER BY id LIMIT :limit
) AS batch;

-- name: count_workspaces
SELECT COUNT(*) AS size, MAX(id) AS last FROM (
    SELECT id FROM workspaces WHERE hidden = 0 AND id > :after ORDER BY id LIMIT :limit
) AS batch;

-- name: count_people
SELECT COUNT(*) AS size, MAX(principal) AS last FROM (
    SELECT principal FROM people WHERE is_deleted = 0 AND principal > :after ORDER BY principal LIMIT :limit
) AS batch;

-- A message waits from when it was due; another attempt makes it no younger.
-- name: oldest_notice
SELECT MIN(CASE WHEN state = 'pending' THEN due_at ELSE created_at END) AS since FROM notices
WHERE state IN ('pending', 'retry', 'leased') AND (state <> 'pending' OR due_at <= :now) AND held_by IS NULL;

-- == outages ==

-- name: connections
SELECT name, title FROM connections;

-- name: outages
SELECT connection, since FROM outages;

-- A silence lasts until an answer that came after its beginning.
-- name: silent
INSERT INTO reached (name, answered_at, silent_since) VALUES (:name, :answered_at, :since)
ON CONFLICT (name) DO UPDATE SET silent_since = CASE
    WHEN reached.silent_since > COALESCE(excluded.answered_at, 0) THEN reached.silent_since
    ELSE excluded.silent_since END
RETURNING silent_since;

-- name: answered
INSERT INTO reached (name, answered_at) VALUES (:name, :at)
ON CONFLICT (name) DO UPDATE SET answered_at = excluded.answered_at
RETURNING silent_since;

-- name: silence_over
UPDATE reached SET silent_since = NULL WHERE name = :name AND silent_since <= :at;

-- name: reached
SELECT * FROM reached;

-- == pauses that providers asked for ==

-- name: pauses
SELECT * FROM pauses WHERE until > :now OR noted_at > :noted_before;

-- name: forget_pauses
DELETE FROM pauses WHERE (connection, calls, who) IN (
    SELECT connection, calls, who FROM pauses WHERE until <= :now AND noted_at <= :before LIMIT :limit
);

-- name: note_pause
INSERT INTO pauses (connection, calls, who, noted_at, until) VALUES (:connection, :calls, :who, :now, :until)
ON CONFLICT (connection, calls, who) DO UPDATE SET
    noted_at = excluded.noted_at,
    until = CASE WHEN pauses.until > excluded.until THEN pauses.until ELSE excluded.until END;

-- == links and accounts ==

-- name: expire_links
UPDATE links SET expires_at = :now, secret = NULL, code_hash = NULL, waiting = NULL
WHERE principal = :principal AND connection = :connection AND stage <> 'used' AND expires_at > :now;

-- name: empty_links
UPDATE links SET secret = NULL, code_hash = NULL, waiting = NULL
WHERE nonce_hash IN (
    SELECT nonce_hash FROM links
    WHERE expires_at <= :now AND (secret IS NOT NULL OR code_hash IS NOT NULL OR waiting IS NOT NULL)
    ORDER BY expires_at LIMIT :limit
);

-- name: open_link_of
SELECT * FROM links WHERE principal = :principal AND stage = :stage AND expires_at > :now
ORDER BY created_at DESC, nonce_hash LIMIT 1;

-- name: holder_of_username
SELECT * FROM accounts
WHERE connection = :connection AND username = :username AND username <> '' AND state <> 'revoking'
    AND principal <> :principal LIMIT 1;

-- name: replace_account
DELETE FROM accounts WHERE principal = :principal AND connection = :connection AND state <> 'revoking'
RETURNING id, username, renamed_to;

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

-- name: account_states
SELECT connection, state FROM accounts WHERE principal = :principal AND state <> 'revoking';

-- What would stand still without each connection.
-- name: uses
SELECT connection, SUM(people) AS people, SUM(running) AS running, SUM(timers) AS timers, SUM(hours) AS hours
FROM (
    SELECT connection, 1 AS people, 0 AS running, 0 AS timers, 0 AS hours FROM accounts WHERE state <> 'revoking'
    UNION ALL
    SELECT connection, 0, CASE WHEN state = 'running' THEN 1 ELSE 0 END, CASE WHEN stop_at IS NULL THEN 0 ELSE 1 END, 0
    FROM workspaces WHERE hidden = 0
    UNION ALL
    SELECT connection, 0, 0, 0, 1 FROM rules WHERE paused = ''
) AS used GROUP BY connection ORDER BY connection;

-- name: some_linked_people
SELECT DISTINCT principal FROM accounts WHERE state <> 'revoking' AND principal > :after_principal
ORDER BY principal LIMIT :limit;

-- name: some_people_with_hours
SELECT DISTINCT principal FROM rules WHERE principal > :after_principal ORDER BY principal LIMIT :limit;

-- name: owed_revocations
SELECT * FROM accounts WHERE state = 'revoking' ORDER BY unlinked_at, id;

-- name: some_active_accounts
SELECT * FROM accounts WHERE state = 'active' AND id > :after_id ORDER BY id LIMIT :limit;

-- name: stale_lists
SELECT id AS account_id, COALESCE(discovered_at, 0.0) AS read_at FROM accounts
WHERE connection = :connection AND state = 'active' AND COALESCE(discovered_at, 0.0) < :before
ORDER BY COALESCE(discovered_at, 0.0) LIMIT :limit;

-- Each row is a workspace: so many are read at once, whoever of their people is still linked.
-- name: lists_in_use
SELECT w.used_at, w.id, a.id AS account_id, w.connection, COALESCE(a.discovered_at, 0.0) AS read_at
FROM workspaces w
LEFT JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
WHERE w.used_at >= :after_used_at AND (w.used_at, w.id) > (:after_used_at, :after_id)
ORDER BY w.used_at, w.id LIMIT :limit;

-- name: accounts_of_username
SELECT * FROM accounts WHERE username <> '' AND state <> 'revoking'
-- guards: Linking proves both sides
    AND connection = :connection
-- guards: Linking proves both sides
    AND username = :username
ORDER BY linked_at, id;

-- name: held_accounts
SELECT * FROM accounts WHERE refused_since IS NOT NULL AND state = 'active' ORDER BY connection, id;

-- name: refused_since
SELECT COUNT(*) AS count FROM accounts
WHERE connection = :connection AND refused_since >= :since AND state = 'active' AND renamed_to IS NULL
    AND (ends_at IS NULL OR ends_at > :now);

-- == workspaces ==

-- name: count_refusals
SELECT COUNT(*) AS count FROM operations
WHERE connection = :connection AND outcome = 'failed' AND cause LIKE :cause AND ended_at >= :since;

-- name: stop_watch
SELECT w.principal, w.connection, (
    SELECT o.id FROM operations o WHERE o.workspace_id = w.id AND o.outcome IS NULL
) AS open_operation
FROM workspaces w WHERE w.id = :id AND w.hidden = 0;

-- Rows that a person has named are found whatever they are called.
-- name: piece_of_workspaces
SELECT * FROM workspaces WHERE principal = :principal AND (connection, remote_id) > (:connection, :remote_id)
ORDER BY connection, remote_id LIMIT :limit;

-- name: workspaces_called
SELECT * FROM workspaces WHERE hidden = 0 AND id IN (
    SELECT id FROM workspaces WHERE principal = :principal AND folded IN (:folded, :folded_stem)
    UNION ALL
    SELECT id FROM workspaces WHERE principal = :principal AND remote_id IN (:name, :stem)
    UNION ALL
    SELECT id FROM workspaces WHERE principal = :principal AND (alias IS NOT NULL OR folded_from <> name)
);

-- name: workspaces_of_account
SELECT w.*, (
    SELECT o.id FROM operations o WHERE o.workspace_id = w.id AND o.outcome IS NULL
) AS open_operation
FROM workspaces w
WHERE w.principal = :principal AND w.connection = :connection AND w.remote_id > :after
ORDER BY w.remote_id LIMIT :limit;

-- A workspace as somebody reaches it: with their own account and row, whoever owns it.
-- name: reached_workspace
SELECT {columns w a p} FROM workspaces w
LEFT JOIN accounts a ON a.id = (
        SELECT c.id FROM accounts c WHERE c.principal = :principal AND c.connection = w.connection
        ORDER BY CASE WHEN c.state = 'revoking' THEN 1 ELSE 0 END, c.linked_at DESC, c.id LIMIT 1
    )
LEFT JOIN people p ON p.principal = :principal
WHERE w.id = :id;

-- name: listed_workspace
UPDATE workspaces SET
    {changes}, doubt = NULL,
    started_at = CASE WHEN :state IN ('starting', 'running') AND state IN ('starting', 'running') THEN started_at END,
    lacks = CASE WHEN :state = 'running' THEN lacks END,
    lacks_since = CASE WHEN :state = 'running' THEN lacks_since END,
    running_since = CASE WHEN :state = 'running' THEN COALESCE(running_since, :observed_at) END,
    left_look_at = CASE WHEN :state = 'running' AND running_since IS NULL THEN :observed_at ELSE left_look_at END,
    up_at = CASE WHEN :state IN ('starting', 'running') THEN :observed_at ELSE up_at END
WHERE id = :id;

-- Whose names a new one must differ from: what is on the list, and what may still be made.
-- name: namesakes
SELECT w.* FROM workspaces w
WHERE w.principal = :principal AND w.connection = :connection AND w.id <> :id
    AND (w.hidden = 0 OR (w.remote_id LIKE :unmade AND EXISTS (
        SELECT 1 FROM operations o WHERE o.workspace_id = w.id AND o.outcome = 'unknown'
    )));

-- name: listing_start
SELECT claimed_at FROM tasks WHERE kind = :kind AND subject = :account_id AND is_leased = 1;

-- name: last_starts
SELECT ended_at - called_at AS seconds FROM operations
WHERE workspace_id = :workspace_id AND outcome = 'fulfilled' AND start_call = 'accepted'
    AND called_at IS NOT NULL
ORDER BY created_at DESC LIMIT 20;

-- name: starts_alike
SELECT ended_at - called_at AS seconds FROM operations
WHERE start_kind = :start_kind AND outcome = 'fulfilled' AND start_call = 'accepted' AND called_at IS NOT NULL
ORDER BY ended_at DESC LIMIT 50;

-- It is in use, by its person unless :asked_at is NULL; if its last read proved nothing, it may be tried again.
-- name: use_workspace
UPDATE workspaces SET
    used_at = :now, asked_at = COALESCE(:asked_at, asked_at), episode = episode + :brings_up,
    reason = CASE WHEN :brings_up = 0 THEN reason END,
    tried_at = CASE WHEN verified_at IS NULL OR state = 'gone' THEN NULL ELSE tried_at END
WHERE id = :id;

-- == creations ==

-- What exists counts, whoever recorded it; if another step holds the operation, it is stepped again at once.
-- name: accept_created
UPDATE operations SET
    start_call = 'accepted', read_since = :now, asked_at = NULL, unknown_since = NULL,
    woken = CASE WHEN leased_until > :now AND claim <> :claim THEN 3 ELSE woken END,
    next_step_at = CASE WHEN leased_until > :now OR next_step_at < :now THEN next_step_at ELSE :now END
WHERE id = :id;

-- The same for one that was created stopped: it is started next, like any other that exists.
-- name: accept_created_at_rest
UPDATE operations SET
    verb = CASE WHEN outcome IS NULL THEN 'start' ELSE verb END,
    start_call = CASE WHEN outcome IS NULL THEN 'none' ELSE 'accepted' END,
    read_since = :now, asked_at = NULL, unknown_since = NULL,
    woken = CASE WHEN leased_until > :now AND claim <> :claim THEN 3 ELSE woken END,
    next_step_at = CASE WHEN leased_until > :now OR next_step_at < :now THEN next_step_at ELSE :now END
WHERE id = :id;

-- name: unsent_notices_of
SELECT id, body FROM notices WHERE subject = :subject AND state IN ('pending', 'retry', 'leased');

-- A row that only a list has added since, for the same person, may be what was made.
-- name: explained
SELECT g.gate_key FROM gates g
WHERE g.gate_key = :gate_key AND NOT EXISTS (
    SELECT 1 FROM workspaces w
    WHERE w.gate_key = :gate_key AND w.principal = :principal AND w.spec IS NULL AND w.created_at >= :since
);

-- Another creation called meanwhile whose result isn't known. A failed one whose call had no effect has made
-- nothing; until it ends it may be called again.
-- name: nameless_creation
SELECT o.id FROM operations o
WHERE o.connection = :connection AND o.verb = 'create' AND o.called_at >= :since AND o.id <> :id
    AND NOT (o.start_call = 'none' AND o.outcome IS NOT NULL AND o.outcome = 'failed')
    AND NOT EXISTS (
        SELECT 1 FROM workspaces w WHERE w.id = o.workspace_id AND w.remote_id NOT LIKE :unmade
    )
LIMIT 1;

-- == ends, events and entries of workspaces ==

-- name: next_episode
UPDATE workspaces SET episode = episode + 1 WHERE id = :id;

-- == timers ==

-- name: limit_start
UPDATE operations SET lasts = :at - created_at, deadline_at = CASE WHEN deadline_at > :at THEN :at ELSE deadline_at END,
    good_until = CASE WHEN good_until > :at THEN :at ELSE good_until END
WHERE workspace_id = :workspace_id AND outcome IS NULL AND verb IN ('start', 'restart', 'create')
    AND start_call = 'none';

-- name: unlimit_start
UPDATE operations SET lasts = NULL
WHERE workspace_id = :workspace_id AND outcome IS NULL AND lasts > 0.0;

-- One that is still to be started keeps its timer for as long as the start is good.
-- name: settle_timer
UPDATE workspaces SET {changes}
WHERE id = :id AND (stop_at IS NOT NULL OR ends <> '') AND NOT EXISTS (
        SELECT 1 FROM operations o
        WHERE o.workspace_id = :id AND o.outcome IS NULL AND o.verb IN ('start', 'restart', 'create')
            AND (o.start_call <> 'none' OR COALESCE(o.good_until, o.deadline_at) > :now)
    );

-- What was up before the start with which an end was set loses that end.
-- name: idle_start
SELECT id FROM operations WHERE id = :id AND outcome IS NOT NULL AND start_call = 'none';

-- == hours ==

-- name: was_asked
SELECT 1 AS found FROM acts
WHERE principal = :principal AND done_at >= :since AND subject = :subject AND asker = '' LIMIT 1;

-- name: members_behind
SELECT * FROM rules
WHERE card = :card AND (follows <> :state OR heard <> :state OR lead <> :lead OR :is_over = 1)
ORDER BY id LIMIT :limit;

-- name: sweep_rules
DELETE FROM rules WHERE id IN (
    SELECT id FROM rules WHERE paused = 'unlinked' AND settled_at < :before ORDER BY settled_at LIMIT :limit
);

-- name: sweep_occurrences
DELETE FROM occurrences WHERE (rule_id, local, side) IN (
    SELECT rule_id, local, side FROM occurrences WHERE at < :before ORDER BY at LIMIT :limit
);

-- == waits for room ==

-- name: next_in_line
SELECT COALESCE(MAX(seq), 0) + 1 AS seq FROM waits;

-- name: wait_of
SELECT * FROM waits WHERE workspace_id = :workspace_id AND ended_at IS NULL;

-- name: waits_ahead
SELECT COALESCE(SUM(CASE WHEN (round, seq, id) < (:round, :seq, :id) THEN 1 ELSE 0 END), 0) AS ahead,
    COALESCE(SUM(CASE WHEN round > :round AND tried_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS tried,
    COALESCE(SUM(CASE WHEN id <> :id THEN 1 ELSE 0 END), 0) AS others
FROM waits WHERE connection = :connection AND kind = :kind AND state IN ('waiting', 'trying');

-- name: others_in_line
SELECT MIN(round) AS lowest, COALESCE(MAX(round), 0) AS highest, MIN(attempts) AS fewest FROM waits
WHERE connection = :connection AND kind = :kind AND state IN ('waiting', 'trying') AND id <> :id;

-- name: attempts_under_way
SELECT COUNT(*) AS count FROM waits WHERE connection = :connection AND state = 'trying';

-- What was freed may be what anybody there waits for: each is tried once in their turn.
-- name: offer_room
UPDATE waits SET next_at = CASE WHEN tried_at + :pause > :now THEN tried_at + :pause ELSE :now END
WHERE id IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT id FROM waits
    WHERE connection = :connection AND state = 'waiting' AND next_at > :now
        AND (tried_at IS NULL OR next_at > tried_at + :pause) ORDER BY round, seq, id LIMIT :limit
    /* postgresql: FOR UPDATE SKIP LOCKED)) */
);

-- Those in line for the same read their places in messages.
-- name: update_places
UPDATE cards SET is_dirty = 1, dirt = dirt + 1
WHERE id IN (
    SELECT c.id FROM waits w JOIN cards c ON c.subject = w.id AND c.stage = 'live' AND c.message_ts IS NOT NULL
    WHERE w.connection = :connection AND w.kind = :kind AND w.state IN ('waiting', 'trying') LIMIT :limit
);

-- A newcomer is tried soon and often, and so are all who come before in a round.
-- name: hasten_line
UPDATE waits SET next_at = tried_at + :pause
WHERE connection = :connection AND kind = :kind AND state = 'waiting' AND tried_at IS NOT NULL
    AND next_at > tried_at + :pause;

-- Starts that failed there in a row, whoever's they were: only what its provider began counts.
-- name: failed_in_a_row
SELECT COUNT(*) AS count FROM operations WHERE connection = :connection AND outcome = 'failed' AND start_call = 'accepted'
    AND ended_at > COALESCE((
        SELECT MAX(ended_at) FROM operations good
        WHERE good.connection = :connection AND good.outcome = 'fulfilled' AND good.start_call = 'accepted'
    ), 0);

-- Of people of one place: how many wait for what, since when, and how long the last ones waited who got it.
-- name: lines
SELECT connection, kind, SUM(CASE WHEN state IN ('waiting', 'trying') THEN 1 ELSE 0 END) AS waiting,
    MIN(CASE WHEN state IN ('waiting', 'trying') THEN joined_at END) AS since,
    SUM(CASE WHEN got_at > :since THEN 1 ELSE 0 END) AS got,
    AVG(CASE WHEN got_at > :since THEN got_at - joined_at END) AS waited
FROM (
    SELECT principal, connection, kind, state, joined_at, got_at FROM waits WHERE ended_at IS NULL
    UNION ALL
    SELECT principal, connection, kind, state, joined_at, got_at FROM waits WHERE ended_at > :since
) AS recent WHERE principal LIKE :place || '%' GROUP BY connection, kind ORDER BY connection, kind;

-- name: waits_of
SELECT * FROM waits WHERE principal = :principal AND ended_at IS NULL AND state <> 'got' ORDER BY seq;

-- name: last_wait
SELECT t.* FROM workspaces w JOIN waits t ON t.workspace_id = w.id
WHERE w.principal = :principal AND COALESCE(t.got_at, t.ended_at) > :since
ORDER BY COALESCE(t.got_at, t.ended_at) DESC LIMIT 1;

-- name: open_waits_left
SELECT * FROM waits WHERE ended_at IS NULL ORDER BY next_at, id LIMIT :limit;

-- name: sweep_waits
DELETE FROM waits WHERE id IN (SELECT id FROM waits WHERE ended_at < :before ORDER BY ended_at LIMIT :limit)
RETURNING id;

-- == snapshots and form values ==

-- name: save_snapshot
INSERT INTO snapshots {model} ON CONFLICT (connection, owner, kind) DO UPDATE SET {replaced}
WHERE excluded.read_at >= snapshots.read_at;

-- == approvals ==

-- name: asked_approval
SELECT * FROM approvals WHERE principal = :principal AND connection = :connection AND state = 'asked';

-- name: pending_approvals
SELECT id, connection FROM approvals WHERE principal = :principal AND state IN ('asked', 'approved') ORDER BY id;

-- name: questions_to
SELECT id FROM notices
WHERE kind = 'account_asked' AND principal = :principal AND COALESCE(sent_at, due_at) > :since;

-- The first decision keeps its author: later changes are the provider's answer.
-- name: decide_approval
UPDATE approvals SET
    state = :state, detail = COALESCE(:detail, detail),
    decided_by = COALESCE(decided_by, :decided_by), decided_at = COALESCE(decided_at, :now)
WHERE id = :id AND state = :expected
RETURNING *;

-- == runs of jobs ==

-- name: runs
SELECT * FROM runs WHERE principal = :principal AND is_orphan = 0 ORDER BY created_at DESC LIMIT :limit;

-- name: want_run_stop
UPDATE runs SET
    stop_wanted = :wanted, stop_call = 'none', busy_since = NULL, retry_at = NULL,
    attempts = CASE WHEN remote_id IS NULL THEN attempts ELSE 0 END,
    woken = CASE WHEN leased_until > :now AND woken < :strength THEN :strength ELSE woken END,
    next_step_at = CASE WHEN leased_until > :now OR next_step_at < :now THEN next_step_at ELSE :now END
WHERE id = :id AND outcome IS NULL
RETURNING *;

-- name: wake_run
UPDATE runs SET
    {at_once}
WHERE id = :id AND outcome IS NULL;

-- Another launch of that name whose result isn't known: what is found may belong to either.
-- name: nameless_launch
SELECT id FROM runs
WHERE principal = :principal AND connection = :connection AND name = :name AND id <> :id AND remote_id IS NULL
    AND outcome IS NULL AND start_call <> 'none'
LIMIT 1;

-- One process at a time reads an account's runs: who has read them last is what the others find.
-- name: read_runs_of
UPDATE accounts SET runs_read_at = :now WHERE id = :id AND COALESCE(runs_read_at, 0.0) = :last AND state = 'active';

-- == operations ==

-- name: shown_operation
SELECT {columns o w a}, (
        SELECT n.id FROM operations n WHERE n.workspace_id = o.workspace_id
        ORDER BY n.created_at DESC, CASE WHEN n.outcome IS NULL THEN 0 ELSE 1 END, n.id DESC LIMIT 1
    ) AS newest, {end_state} AS end_state
FROM operations o
LEFT JOIN workspaces w ON w.id = o.workspace_id
{acting}
WHERE o.id = :id;

-- name: latest_operation
SELECT * FROM operations WHERE workspace_id = :workspace_id
ORDER BY created_at DESC, CASE WHEN outcome IS NULL THEN 0 ELSE 1 END, id DESC LIMIT 1;

-- name: creation_of
SELECT * FROM operations WHERE workspace_id = :workspace_id AND verb = 'create'
ORDER BY created_at DESC, id DESC LIMIT 1;

-- == after a backup was restored ==

-- Some of what is left; what is put on hold isn't found again.
-- name: open_operations_left
SELECT * FROM operations WHERE outcome IS NULL ORDER BY created_at, id LIMIT :limit;

-- name: unseen_runs_left
SELECT * FROM runs WHERE outcome IS NULL AND remote_id IS NULL ORDER BY created_at, id LIMIT :limit;

-- name: timers_left
SELECT * FROM workspaces WHERE stop_at IS NOT NULL ORDER BY stop_at, id LIMIT :limit;

-- name: rules_left
SELECT * FROM rules WHERE paused = '' ORDER BY workspace_id, id LIMIT :limit;

-- Nobody's workspace is stopped at the end of a class whose end may have been moved or cancelled since.
-- name: hold_classes
UPDATE class_cards SET stops_at = NULL, done_at = CASE WHEN closed_at IS NULL THEN done_at ELSE :now END
WHERE id IN (
    SELECT id FROM class_cards WHERE done_at IS NULL AND (stops_at IS NOT NULL OR closed_at IS NOT NULL) LIMIT :limit
)
RETURNING id;

-- What waits to be sent was sent soon after the backup was made, so it is looked for before it is sent.
-- name: seek_notices
UPDATE notices SET state = 'retry', unknown_since = COALESCE(unknown_since, :since)
WHERE id IN (
    SELECT id FROM notices
    WHERE state IN ('pending', 'leased', 'retry') AND kind <> 'reply' AND created_at < :began
        AND (state <> 'retry' OR unknown_since IS NULL)
    LIMIT :limit
);

-- name: people_named
SELECT principal FROM people WHERE principal LIKE :ending AND is_deleted = 0 ORDER BY principal;

-- == browser sessions ==

-- name: browser_session
SELECT id_hash, principal, created_at, seen_at, expires_at FROM browser_sessions
WHERE id_hash = :id_hash AND expires_at > :now AND seen_at > :unused_since;

-- name: end_browser_sessions_of
DELETE FROM browser_sessions WHERE user_id = :user_id AND principal LIKE :ending;

-- name: end_browser_sessions_at
DELETE FROM browser_sessions WHERE id_hash IN (
    SELECT id_hash FROM browser_sessions WHERE principal LIKE :within LIMIT :limit
);

-- == the poll gate ==

-- Makes the gate due, but never before it may open.
-- name: want_gate
INSERT INTO gates (gate_key, connection, remote_id, due_at, wanted_at)
SELECT gate_key, connection, remote_id, :now, :now FROM workspaces WHERE id = :id AND remote_id NOT LIKE :unmade
ON CONFLICT (gate_key) DO UPDATE SET
    connection = excluded.connection,
    wanted_at = excluded.wanted_at,
    due_at = CASE
        WHEN gates.due_at IS NOT NULL AND gates.due_at <= excluded.wanted_at THEN gates.due_at
        WHEN gates.next_check_at > excluded.wanted_at THEN gates.next_check_at
        ELSE excluded.wanted_at END;

-- name: close_gate
UPDATE gates SET next_check_at = :until, claimed_at = :now
WHERE gate_key = :gate_key AND (:is_answered OR next_check_at <= :now);

-- name: take_over_gate
UPDATE gates SET next_check_at = c.next_check_at, claimed_at = c.claimed_at FROM gates c
WHERE gates.gate_key = :gate_key AND c.gate_key = :candidate AND c.next_check_at > gates.next_check_at;

-- Who may see what a claim granted: found by the due time just written, which other rows may share.
-- name: watchers
SELECT w.gate_key, w.id, w.connection, w.state, w.used_at, w.verified_at, w.tried_at, a.id AS account_id,
    a.refused_since, {columns a}, w.lacks, w.lacks_since,
    w.doubt, w.doubt_times, w.doubt_since, w.entry, o.id IS NOT NULL AS has_operation,
    o.stop_call IS NOT NULL AND o.stop_call <> 'none' AS is_ending
FROM gates g
JOIN workspaces w ON w.gate_key = g.gate_key AND w.hidden = 0
LEFT JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
LEFT JOIN operations o ON o.workspace_id = w.id AND o.outcome IS NULL
WHERE g.connection = :connection AND g.due_at = :due_at AND g.claimed_at = :claimed_at;

-- name: set_reader
UPDATE gates SET reader = :account_id
/* postgresql: FROM json_to_recordset(:each) given (gate_key_ TEXT, account_id_ TEXT) */
WHERE gate_key = :gate_key;

-- name: mark_tried
UPDATE workspaces SET tried_at = :now
/* postgresql: FROM json_to_recordset(:each) given (id_ TEXT, now_ DOUBLE PRECISION) */
WHERE id = :id;

-- A gate that nobody can read any more has no due time; it keeps the earliest time of the next read.
-- name: rest_gate_without_reader
UPDATE gates SET due_at = NULL WHERE gate_key = :gate_key AND NOT EXISTS (
    SELECT 1 FROM workspaces w
    JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
    WHERE w.gate_key = :gate_key AND w.hidden = 0
);

-- name: gate
SELECT claimed_at AS gate_claimed_at, next_check_at, reader, wanted_at, due_at AS gate_due_at
FROM gates WHERE gate_key = :gate_key;

-- A read requested after this one was granted is still to be made.
-- name: settle_gate
UPDATE gates SET
    next_check_at = CASE WHEN next_check_at > :opens_at THEN next_check_at ELSE :opens_at END,
    due_at = CASE
        WHEN wanted_at <= :granted_at THEN :due_at
        WHEN next_check_at > :opens_at THEN next_check_at
        ELSE :opens_at END
/* postgresql: FROM json_to_recordset(:each) given (
    gate_key_ TEXT, opens_at_ DOUBLE PRECISION, granted_at_ DOUBLE PRECISION, due_at_ DOUBLE PRECISION
) */
WHERE gate_key = :gate_key;

-- Everything that recording a read needs, in one query: there are a thousand a second.
-- ids: an object, of which only the keys count; so both databases have the same function for it.
-- name: read_rows
SELECT w.id, w.gate_key, w.name, w.state, w.url, w.detail, w.progress, w.actions, w.ends_at, w.ends_how, w.is_kept,
    w.started_at, w.at_stake, w.last_used_at, w.reason, w.down_at, w.lacks, w.lacks_since, w.observed_at,
    w.unknown_at, w.verified_at, a.id AS account_id,
    g.claimed_at AS gate_claimed_at, g.next_check_at, g.reader, g.wanted_at, g.due_at AS gate_due_at,
    o.id AS operation_id, o.read_hold AS operation_hold, o.waits_for, o.leased_until
FROM json_each(:ids) wanted
JOIN workspaces w ON w.id = wanted.key
JOIN gates g ON g.gate_key = w.gate_key
LEFT JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
LEFT JOIN operations o ON o.workspace_id = w.id AND o.outcome IS NULL;

-- Somebody else's read, or one with access to everybody's, doesn't disprove the person's own list.
-- name: observed_same
UPDATE workspaces SET observed_at = :observed_at, verified_at = :verified_at, last_used_at = :last_used_at,
    doubt = CASE WHEN doubt = 'unlisted' AND NOT :ends_doubt THEN doubt END,
    up_at = CASE WHEN state IN ('starting', 'running') THEN :observed_at ELSE up_at END
/* postgresql: FROM json_to_recordset(:each) given (
    id_ TEXT, observed_at_ DOUBLE PRECISION, verified_at_ DOUBLE PRECISION, last_used_at_ DOUBLE PRECISION,
    ends_doubt_ BOOLEAN
) */
WHERE id = :id AND (observed_at IS NULL OR observed_at <= :observed_at);

-- name: observed
UPDATE workspaces SET
    {changes},
    doubt = CASE WHEN doubt = 'unlisted' AND NOT :ends_doubt THEN doubt END,
    running_since = CASE WHEN :state = 'running' THEN COALESCE(running_since, :observed_at) END,
    left_look_at = CASE WHEN :state = 'running' AND running_since IS NULL THEN :observed_at ELSE left_look_at END,
    up_at = CASE WHEN :state IN ('starting', 'running') THEN :observed_at ELSE up_at END
WHERE id = :id AND (observed_at IS NULL OR observed_at <= :observed_at);

-- name: note_unknown
UPDATE workspaces SET {changes}
WHERE id = :id AND (observed_at IS NULL OR observed_at <= :granted_at);

-- name: note_gone
UPDATE workspaces SET
    gone_at = CASE WHEN :is_new OR gone_at IS NULL THEN :at ELSE gone_at END,
    gone_again_at = CASE WHEN NOT :is_new AND gone_at <= :at - :again THEN COALESCE(gone_again_at, :at) END
WHERE id = :id;

-- name: wake_operation
UPDATE operations SET
    read_hold = :hold,
    woken = CASE
        WHEN leased_until > :now AND woken < :strength THEN :strength
        ELSE woken END,
    next_step_at = CASE
        WHEN leased_until > :now OR next_step_at <= :now THEN next_step_at
        WHEN waits_for = 'read' OR (waits_for = 'change' AND :strength = 2) THEN :now
        ELSE next_step_at END
WHERE id = :id AND outcome IS NULL;

-- == leases of the dead: ``bot.store.leases`` ==

-- part: freed
next_step_at = :now, leased_until = 0, claim = '', woken = 0,
    start_call = CASE WHEN start_call = 'calling' THEN 'interrupted' ELSE start_call END,
    stop_call = CASE WHEN stop_call = 'calling' THEN 'interrupted' ELSE stop_call END,
    busy_since = CASE WHEN start_call = 'calling' OR stop_call = 'calling' THEN NULL ELSE busy_since END

-- What a replaced one sent is looked for by the one that came after it.
-- name: free_operations
UPDATE operations SET
    prior_call = CASE WHEN prior_call = 'calling' THEN 'interrupted' ELSE prior_call END, {freed}
WHERE COALESCE(outcome, 'replaced') = 'replaced'
    AND (leased_until > 0 OR start_call = 'calling' OR stop_call = 'calling' OR prior_call = 'calling');

-- name: free_runs
UPDATE runs SET {freed}
WHERE outcome IS NULL AND (leased_until > 0 OR start_call = 'calling' OR stop_call = 'calling');

-- It may have been sent, and is looked for once it had its time to show.
-- name: free_notices
UPDATE notices SET due_at = CASE WHEN leased_at + :settles > :now THEN leased_at + :settles ELSE :now END
WHERE state = 'leased' AND due_at > :now;

-- name: free_cards
UPDATE cards SET leased_until = 0 WHERE leased_until > 0;

-- name: free_homes
UPDATE homes SET leased_until = 0 WHERE leased_until > 0;

-- name: free_tasks
UPDATE tasks SET is_leased = 0, due_at = :now WHERE is_leased = 1;

-- name: free_installations
UPDATE installations SET renewing_until = 0 WHERE renewing_until > 0;

-- name: free_owners
DELETE FROM owners;

-- What time does is claimed by moving the time of the next look: one more does no harm.
-- name: free_timers
UPDATE workspaces SET stop_look_at = :now WHERE stop_look_at > :now AND stop_look_at <= :now + :longest;

-- name: free_rules
UPDATE rules SET look_at = :now WHERE look_at > :now AND look_at <= :now + :longest;

-- name: free_lessons
UPDATE rules SET lesson_look_at = :now WHERE lesson_look_at > :now AND lesson_look_at <= :now + :longest;

-- name: free_followed
UPDATE class_cards SET follow_at = :now WHERE follow_at > :now AND follow_at <= :now + :longest;

-- == healing after a clock was moved; the rest follows from the marks of times ==

-- The wall clock jumped ahead by :jump: a lease lasts as long as it would have, so nobody takes over what is under way.
-- name: move_leases
UPDATE {errands} SET next_step_at = next_step_at + :jump, leased_until = leased_until + :jump
WHERE outcome IS NULL AND leased_until > :before;

-- Neither does a lease of a notice end early.
-- name: move_sends
UPDATE notices SET due_at = due_at + :jump WHERE state = 'leased' AND due_at > :before;

-- A gate claimed in the future, or an unknown time ago, stays closed for its whole interval.
-- name: heal_gates
UPDATE gates SET
    next_check_at = :now + CASE
        WHEN next_check_at - claimed_at > :longest THEN :longest ELSE next_check_at - claimed_at END,
    claimed_at = :now
WHERE claimed_at > :now OR (:is_unknown = 1 AND claimed_at > 0);

-- A message of unknown outcome gets its full time to show up.
-- name: heal_sends
UPDATE notices SET due_at = :settled
WHERE (state = 'leased' OR (state = 'retry' AND unknown_since IS NOT NULL)) AND due_at < :settled;

-- == notices and cards ==

-- Whether there is anything to claim, and how many of these messages Slack still takes: looked for without a lock.
-- name: due_classes
SELECT wanted.key AS class, {room} AS fit FROM json_each(:classes) wanted
WHERE EXISTS (
    SELECT 1 FROM notices n
    WHERE n.class = CAST(wanted.key AS INTEGER) AND n.state IN ('pending', 'retry', 'leased') AND n.due_at <= :now
);

-- An expired lease is an attempt of unknown outcome. The notice of an operation's or run's end waits briefly for a card
-- that is just being sent, so that they appear in the conversation in the order in which they happened. A card that isn't
-- waits for the end: both would say the same, and once the end was sent few cards are needed.
-- part: claimable
held_by IS NULL
    AND NOT (
    kind IN {END} AND created_at > :settled AND EXISTS (
        SELECT 1 FROM notices c
        WHERE c.subject = notices.subject AND c.kind IN {CARD} AND c.state = 'leased' AND c.due_at > :now
    )
) AND NOT (
    kind IN {CARD} AND EXISTS (
        SELECT 1 FROM notices e
        WHERE e.subject = notices.subject AND e.kind IN {END} AND e.state IN ('pending', 'retry', 'leased')
    )
) AND NOT (
    kind = 'reply' AND EXISTS (
        SELECT 1 FROM notices u
        WHERE u.principal = notices.principal AND u.kind IN {URGENT}
            AND u.state IN ('pending', 'retry') AND u.held_by IS NULL AND u.created_at > :settled
    )
) AND NOT (
    kind = 'summary' AND EXISTS (
        SELECT 1 FROM notices h
        WHERE h.held_by = notices.id AND h.held_by IS NOT NULL AND h.kind NOT IN {KINDS}
    )
) AND NOT (
    kind = 'summary' AND EXISTS (
        SELECT 1 FROM notices u
        WHERE u.principal = notices.principal AND u.kind IN {NEWS} AND u.held_by IS NULL
            AND u.state IN ('pending', 'retry', 'leased')
            AND (u.state = 'leased' OR (u.unknown_since IS NOT NULL AND u.due_at <= :now))
    )
) AND {output_followed_here}

-- part: attempted
unknown_since = CASE
        WHEN state = 'leased' THEN COALESCE(unknown_since, leased_at)
        WHEN {doubted} THEN COALESCE(unknown_since, (SELECT lost_since FROM lineage))
        ELSE unknown_since END,
    state = 'leased', attempts = attempts + 1, leased_at = :now, due_at = :until

-- What Slack didn't answer is tried again whatever its pause: a send first, or a search, a reply if there is nothing else;
-- each in turn, as one may fail by itself. What waits for a read is the one that is to be sent next. What may have been
-- sent keeps its time to show before it is looked for.
-- part: owed
(due_at <= :now OR (
        state = 'retry' AND error NOT IN ('internal', 'undrawable') AND (unknown_since IS NULL OR leased_at > unknown_since)
    ))

-- People of whom something waits to be told together: several news, the first of them for long, or one beside what tells
-- such news and wasn't claimed yet. A summary is due since the first of what it tells was written. The states are named
-- twice for the index.
-- name: late_news
SELECT principal, MIN(CASE WHEN kind = 'summary' THEN due_at ELSE created_at END) AS oldest FROM notices
WHERE class IN (1, 3) AND {owed} AND state IN ('pending', 'retry', 'leased')
    AND state <> 'leased' AND unknown_since IS NULL AND held_by IS NULL AND NOT {doubted}
    AND (kind IN {NEWS} OR kind = 'summary')
GROUP BY principal
HAVING COUNT(*) > 1 AND MIN(CASE WHEN kind = 'summary' THEN due_at ELSE created_at END) <= :since;

-- name: unclaimed_summary
SELECT id FROM notices
WHERE principal = :principal AND state IN ('pending', 'retry', 'leased') AND state <> 'leased' AND unknown_since IS NULL
    AND kind = 'summary' LIMIT 1
/* postgresql: FOR UPDATE */;

-- name: unclaimed_results
SELECT id, due_at FROM notices
WHERE subject = :request AND principal = :principal AND state = 'pending' AND kind = 'results' LIMIT 1
/* postgresql: FOR UPDATE */;

-- name: open_of_request
SELECT id FROM operations
WHERE principal = :principal AND outcome IS NULL AND reference = :request LIMIT 1;

-- name: gather_news
UPDATE notices SET held_by = :holder
WHERE id IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT id FROM notices
    WHERE principal = :principal AND state IN ('pending', 'retry', 'leased') AND {owed}
        AND state <> 'leased' AND unknown_since IS NULL AND held_by IS NULL AND kind IN {NEWS} AND NOT {doubted}
    LIMIT :limit
    /* postgresql: FOR UPDATE SKIP LOCKED)) */
)
RETURNING id;

-- A reply holds its response URL, which is a capability and is deleted with it. Nobody reads a reply's content once
-- it was sent or given up.
-- name: notice_sent
UPDATE notices SET
    state = 'sent', sent_at = :now, channel_id = :channel_id, message_ts = :message_ts, error = NULL,
    body = '{}'
WHERE id = :id AND state <> 'sent'
RETURNING subject, kind, principal,
    (SELECT d.channel_id FROM direct_channels d WHERE d.principal = notices.principal) AS direct;

-- name: notice_retry
UPDATE notices SET state = 'retry', due_at = :due_at, error = :error,
    unknown_since = CASE
        WHEN :has_unknown = 0 OR unknown_since <= :unknown_since THEN unknown_since
        ELSE :unknown_since END
WHERE id = :id AND attempts = :attempts AND state IN ('pending', 'retry', 'leased');

-- name: notice_not_sent
UPDATE notices SET state = 'retry', due_at = created_at, error = 'not sent', unknown_since = NULL
WHERE id = :id AND attempts = :attempts AND state = 'leased';

-- What Slack didn't take while it couldn't be reached, or didn't let Usher in, is due in the order of its age. A send
-- whose outcome is unknown keeps its time to show (:shown); what failed by a mistake of ours keeps its own pause. Replies
-- have theirs. The states are named twice for the index.
-- name: release_notices
UPDATE notices SET due_at = created_at
WHERE id IN (
    SELECT id FROM notices
    WHERE class IN (1, 2, 3) AND due_at > :now AND state IN ('pending', 'retry', 'leased')
        AND state = 'retry' AND error NOT IN ('internal', 'undrawable') AND (unknown_since IS NULL OR due_at > :shown)
        AND created_at < due_at AND principal LIKE :people
    ORDER BY principal LIMIT :limit
);

-- name: release_card
UPDATE notices SET due_at = :now
WHERE subject = :subject AND kind IN {CARD} AND state = 'pending' AND due_at > :now;

-- name: end_of
SELECT {end_state} AS state;

-- Whether a message other than the answer says how something goes on, or ended.
-- name: shown
SELECT 1 AS found FROM cards
WHERE subject = :subject AND created_at >= :since AND (is_notice = 0 OR kind IN {END}) AND message_ts IS NOT NULL LIMIT 1;

-- name: notice_dead
UPDATE notices SET
    state = 'dead', error = :error, body = '{}'
WHERE id = :id AND state IN ('pending', 'retry', 'leased')
RETURNING kind, subject;

-- name: held_notices
SELECT * FROM notices WHERE held_by = :id AND state <> 'dead';

-- Whether a card of an operation or a run is there, or is about to be: one that was lost shows nothing.
-- name: heard
SELECT o.id IS NOT NULL AS is_operation, o.planned_for, r.state AS run_state, w.tells_ready, w.tells_stopped,
    {columns q}, EXISTS (SELECT 1 FROM cards c WHERE c.id = wanted.key AND c.message_ts IS NOT NULL) OR EXISTS (
        SELECT 1 FROM notices n
        WHERE n.subject = wanted.key AND n.state IN ('pending', 'retry', 'leased')
            AND (n.kind IN {CARD} OR n.kind = 'card_update')
    ) AS has_card
FROM json_each(:subjects) wanted
LEFT JOIN operations o ON o.id = wanted.key
LEFT JOIN runs r ON r.id = wanted.key
LEFT JOIN workspaces w ON w.id = COALESCE(o.workspace_id, :workspace)
LEFT JOIN preferences q ON q.principal = :principal;

-- name: dead_notices
SELECT * FROM notices WHERE state = 'dead' ORDER BY created_at DESC, id DESC LIMIT :limit;

-- What a file stands below: the end if that was written first, as the card goes then; else the card, which stays. It is
-- the same at every attempt. Only where there is no card it is what was posted.
-- name: head_of
SELECT * FROM cards WHERE subject = :subject AND (is_notice = 0 OR kind IN {END})
ORDER BY
    CASE WHEN is_notice = 1 AND created_at <= :written_at THEN 0 WHEN message_ts IS NULL THEN 2 ELSE 1 END, is_notice
LIMIT 1;

-- What has become history only loses buttons, which waits for everything else.
-- part: owed_again
UPDATE cards SET is_dirty = 1, dirt = dirt + 1,
    changed_at = CASE WHEN :changed = 1 AND (is_notice = 0 OR kind IN {ASKS}) THEN :now ELSE changed_at END

-- name: owe_cards_of
{owed_again}
WHERE subject = :subject AND stage = 'live';

-- name: owe_cards_to
{owed_again}
WHERE principal = :principal AND subject = :subject AND stage = 'live' AND is_notice = 1;

-- name: owe_cards_about
{owed_again}
WHERE about = :about AND stage = 'live';

-- Whether a message that a workspace is ready was begun: from then on it may not have what comes later.
-- name: ready_begun
SELECT 1 AS found FROM notices
WHERE subject = :subject AND kind = 'ready' AND occasion = 'end' AND (state <> 'pending' OR attempts > 0);

-- name: ready_cards
SELECT id, body FROM cards WHERE subject = :subject AND kind IN ('ready', 'ready_link');

-- What was sent before about the same may have lost its buttons by what was sent now; the card or the answer of what has
-- ended goes, also a card that was closed before that was known to be in Slack. Of questions asked again, one is open.
-- name: owe_former
UPDATE cards SET is_dirty = 1, dirt = dirt + 1,
    changed_at = CASE WHEN kind = :kind THEN NULL ELSE changed_at END,
    stage = CASE
        WHEN kind = :kind AND (kind IN {ASKS} OR kind IN {NEWEST}) THEN 'closed'
        ELSE stage END
WHERE principal = :principal AND about IN (:about, :subject) AND id <> :id
    AND (stage = 'live' OR (is_notice = 0 AND :kind IN {END}))
    AND (is_notice = 1 OR (subject = :subject AND kind NOT IN {IN_CHANNEL}))
    AND message_ts IS NOT NULL;

-- name: owe_ended
UPDATE cards SET is_dirty = 1, dirt = dirt + 1
WHERE subject = :subject AND (stage = 'live' OR is_notice = 0) AND kind NOT IN {IN_CHANNEL} AND message_ts IS NOT NULL;

-- Where the answer to a press takes the place of a message, which is drawn once more if that gets lost.
-- name: wait_for_answer
UPDATE cards SET leased_until = :until
WHERE channel_id = :channel_id AND message_ts = :message_ts AND is_notice = 1
    AND kind NOT IN {ASKS};

-- What else is told by the message of a card.
-- name: cards_beside
SELECT * FROM cards WHERE message_ts = :message_ts AND channel_id = :channel_id AND id <> :id;

-- name: forget_replaced
DELETE FROM cards
WHERE channel_id = :channel_id AND message_ts = :message_ts AND is_notice = 1 AND id <> :id
    AND kind NOT IN {ASKS};

-- name: place_card
UPDATE cards SET
    channel_id = :channel_id, updated_at = :now, drawn = :drawn, body = COALESCE(:said, body),
    message_ts = :message_ts
WHERE id = :id
RETURNING *;

-- name: unplace_card
UPDATE cards SET
    channel_id = NULL, message_ts = NULL, drawn = '', over_at = NULL,
    is_dirty = 0, changed_at = NULL, leased_until = 0
WHERE id = :id;

-- Whether there is anything to claim, and how many edits Slack still takes: looked for without a lock. Without the time of
-- the last update SQLite would look at every card in Slack, and PostgreSQL without IS NOT NULL.
-- name: dirty_cards
SELECT wanted.key AS dirt, {room} AS fit FROM json_each(:dirts) wanted
WHERE CASE wanted.key
    WHEN 'changed' THEN EXISTS (
        SELECT 1 FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND stage = 'live'
    ) WHEN 'over' THEN EXISTS (
        SELECT 1 FROM cards WHERE over_at IS NOT NULL AND over_at <= :over_before AND message_ts IS NOT NULL
    ) ELSE EXISTS (
        SELECT 1 FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NULL AND updated_at <= :now
    ) END;

-- The message about an end comes first, as its card would say the same. Only whoever follows a run's output can draw it.
-- part: drawable
NOT EXISTS (
    SELECT 1 FROM notices n
    WHERE n.subject = cards.subject AND cards.is_notice = 0 AND n.kind IN {END} AND n.state IN ('pending', 'retry', 'leased')
) AND (kind <> 'job_card' OR NOT EXISTS (
    SELECT 1 FROM owners o WHERE o.name = 'output:' || cards.subject AND o.owner <> :owner AND o.until > :now
))

-- An edit is sent if what it shows stays for a moment: while an act goes on, most of that changes again at once. What
-- goes on in a planned stop, of which its person was warned, is shown if it takes long.
-- part: stays
NOT EXISTS (
    SELECT 1 FROM operations o WHERE o.id = cards.id AND o.outcome IS NULL
        AND (cards.updated_at > :moment_before OR (o.planned_for IS NOT NULL AND o.created_at > :planned_before))
)

-- A press on them says what is so.
-- name: give_up_edits
UPDATE cards SET is_dirty = 0 WHERE id IN (
    SELECT id FROM cards
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NULL AND is_notice = 1 AND updated_at <= :before
    ORDER BY updated_at LIMIT :limit
);

-- What isn't live any more, release 0.2 left half done.
-- name: give_up_former_edits
UPDATE cards SET is_dirty = 0 WHERE id IN (
    SELECT id FROM cards
    WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND stage <> 'live' AND changed_at <= :before
    ORDER BY changed_at LIMIT :limit
);

-- It stays dirty for changes made after the claim. What it shows is known only to whoever holds it.
-- name: card_updated
UPDATE cards SET
    is_dirty = CASE WHEN dirt = claimed_dirt THEN 0 ELSE 1 END,
    changed_at = CASE
        WHEN dirt = claimed_dirt OR changed_at <= :claimed_changed_at THEN NULL
        ELSE changed_at END,
    drawn = CASE WHEN leased_until = :leased_until THEN :drawn ELSE '' END,
    body = COALESCE(:said, body), over_at = :over_at,
    updated_at = :now, leased_until = 0
WHERE id = :id;

-- name: delete_cards_of
DELETE FROM cards WHERE subject = :subject OR about = :subject;

-- == owners: what another process owns is left to it by the claims, wherever its memory is needed ==

-- name: own
INSERT INTO owners (name, owner, until, release) VALUES (:name, :owner, :until, :release)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, release = excluded.release
WHERE owners.owner = excluded.owner OR owners.until <= :now
RETURNING name;

-- name: renew_owned
UPDATE owners SET until = :until WHERE owner = :owner RETURNING name;

-- name: owned
SELECT name, owner, until, release FROM owners WHERE until > :now ORDER BY name;

-- name: is_worked
SELECT 1 FROM owners WHERE until > :now AND (name LIKE 'worker:%' OR name LIKE 'serve:%') LIMIT 1;

-- == channels ==

-- name: rows_of_channel
SELECT * FROM (
    SELECT 'cards' AS holder, id, 'channel_id' AS holds, '' AS said FROM cards
        WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'class_cards', id, 'channel_id', '' FROM class_cards WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'notices', id, 'channel_id', '' FROM notices WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'operations', id, 'channel_id', '' FROM operations WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'runs', id, 'channel_id', '' FROM runs WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'acts', id, 'channel_id', '' FROM acts WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'conversations', principal, 'channel_id', thread_ts FROM conversations
        WHERE channel_id = :channel AND principal LIKE :within
    UNION ALL SELECT 'notices', id, 'body', body FROM notices WHERE body LIKE :holding AND principal LIKE :within
    UNION ALL SELECT 'links', nonce_hash, 'waiting', waiting FROM links
        WHERE waiting LIKE :holding AND principal LIKE :within
    UNION ALL SELECT 'approvals', id, 'waiting', waiting FROM approvals
        WHERE waiting LIKE :holding AND principal LIKE :within
    UNION ALL SELECT 'tasks', id, 'payload', payload FROM tasks WHERE payload LIKE :holding AND payload LIKE :theirs
) AS found ORDER BY holder, id, holds LIMIT :limit;

-- name: message_in_channel
SELECT message_ts FROM cards WHERE channel_id = :channel AND message_ts IS NOT NULL LIMIT 1;

-- == installations by OAuth ==

-- name: installations
SELECT * FROM installations WHERE removed_at IS NULL ORDER BY id;

-- name: accounts_at
SELECT principal, made_by FROM accounts WHERE principal LIKE :place AND state <> 'revoking'
ORDER BY CASE WHEN made_by = '' THEN 0 ELSE 1 END, linked_at, id;

-- name: places
SELECT * FROM places ORDER BY id;

-- name: teams_of_enterprise
SELECT id FROM installations WHERE organisation_id = :enterprise_id AND team_id IS NOT NULL AND removed_at IS NULL
ORDER BY id LIMIT 1;

-- name: claim_renewal
UPDATE installations SET renewing_until = :until
WHERE id = :id AND secret = :secret AND renewing_until <= :now AND removed_at IS NULL;

-- name: reseal_installation
UPDATE installations SET secret = :secret
WHERE id = :id AND secret = :old AND renewing_until <= :now AND removed_at IS NULL;

-- name: forget_oauth_states
DELETE FROM oauth_states WHERE state_hash IN (
    SELECT state_hash FROM oauth_states WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
);

-- == calls of Slack ==

-- name: have_slack_method
INSERT INTO slack_methods (team, method, paused_until) VALUES (:team, :method, 0)
ON CONFLICT (team, method) DO UPDATE SET team = excluded.team
RETURNING paused_until, (
    SELECT MIN(c.made_at) FROM slack_calls c WHERE c.team = slack_methods.team AND c.method = slack_methods.method
) AS oldest;

-- Counted if there is room for it: within the minute, and at its channel.
-- name: count_slack_call
INSERT INTO slack_calls (team, method, channel, made_at)
SELECT :team, :method, :channel, :now
WHERE (SELECT COUNT(*) FROM slack_calls WHERE team = :team AND method = :method AND made_at > :since) < :most
    AND NOT EXISTS (
        SELECT 1 FROM slack_calls
        WHERE team = :team AND method = :method AND made_at > :last AND channel = :paced
    );

-- name: forget_slack_calls
DELETE FROM slack_calls WHERE team = :team AND method = :method AND made_at <= :before AND made_at <= COALESCE((
    SELECT made_at FROM slack_calls WHERE team = :team AND method = :method ORDER BY made_at LIMIT 1 OFFSET :limit
), :before);

-- name: slack_call_at
SELECT made_at FROM slack_calls WHERE team = :team AND method = :method
ORDER BY made_at DESC LIMIT 1 OFFSET :place;

-- name: slack_call_to
SELECT made_at FROM slack_calls
WHERE team = :team AND method = :method AND channel = :channel AND made_at > :since
ORDER BY made_at DESC LIMIT 1;

-- name: slack_calls_left
SELECT {room} AS fit;

-- name: pause_slack_method
INSERT INTO slack_methods (team, method, paused_until) VALUES (:team, :method, :until)
ON CONFLICT (team, method) DO UPDATE SET paused_until = excluded.paused_until
WHERE excluded.paused_until > slack_methods.paused_until;

-- == tasks ==

-- Written before the tasks about the same are: on any engine, two that come at once come one after the other.
-- name: have_turn
UPDATE accounts SET state = state WHERE id = :account_id;

-- Their subject begins with :about and a slash, the character before 0.
-- name: replace_tasks
UPDATE tasks SET is_replaced = 1
WHERE kind = :kind AND subject >= :about || '/' AND subject < :about || '0' AND id <> :id;

-- name: task_under_way
SELECT id FROM tasks
WHERE kind = :kind AND subject >= :about || '/' AND subject < :about || '0' AND id <> :id
    AND is_leased = 1 AND due_at > :now
LIMIT 1;

-- The subject is the account's id, or begins with it and a slash, the character before 0.
-- name: hurry_tasks_of_account
UPDATE tasks SET due_at = :now
WHERE kind IN ('discover', 'list_jobs', 'snapshot', 'schedule')
    AND subject >= :account_id AND subject < :account_id || '0' AND is_leased = 0 AND due_at > :now;

-- name: reads_of_account
SELECT * FROM tasks
WHERE kind IN ('discover', 'list_jobs', 'snapshot')
    AND subject >= :account_id AND subject < :account_id || '0'
ORDER BY created_at, id;

-- By an expression: SQLite would walk the index of kinds.
-- name: overdue_tasks
SELECT COALESCE(kind, '') AS kind, COUNT(*) AS count FROM tasks WHERE due_at <= :now GROUP BY COALESCE(kind, '');

-- == sweep: each deletes at most :limit rows, so that none blocks the database for long ==

-- name: sweep_inbox
DELETE FROM inbox WHERE key IN (
    SELECT key FROM inbox WHERE seen_at < :before ORDER BY seen_at LIMIT :limit
);

-- name: sweep_links
DELETE FROM links WHERE nonce_hash IN (
    SELECT nonce_hash FROM links WHERE expires_at < :before ORDER BY expires_at LIMIT :limit
);

-- name: sweep_notices
DELETE FROM notices WHERE id IN (
    SELECT id FROM notices WHERE state = 'sent' AND sent_at < :before ORDER BY sent_at LIMIT :limit
)
RETURNING id;

-- name: sweep_dead_notices
DELETE FROM notices WHERE id IN (
    SELECT id FROM notices WHERE state = 'dead' AND created_at < :before ORDER BY created_at LIMIT :limit
)
RETURNING id;

-- name: sweep_orphans
DELETE FROM operations WHERE id IN (
    SELECT id FROM operations WHERE is_orphan = 1 AND ended_at < :before ORDER BY ended_at LIMIT :limit
)
RETURNING id;

-- name: sweep_runs
DELETE FROM runs WHERE id IN (
    SELECT id FROM runs WHERE outcome IS NOT NULL AND ended_at < :before ORDER BY ended_at LIMIT :limit
)
RETURNING id;

-- name: sweep_approvals
DELETE FROM approvals WHERE id IN (
    SELECT id FROM approvals
    WHERE decided_at IS NOT NULL AND decided_at < :before ORDER BY decided_at LIMIT :limit
);

-- name: sweep_browser_sessions
DELETE FROM browser_sessions WHERE id_hash IN (
    SELECT id_hash FROM browser_sessions WHERE expires_at < :before ORDER BY expires_at LIMIT :limit
);

-- name: forgotten_accounts
SELECT a.*, f.secret AS forgotten FROM forgotten f JOIN accounts a ON a.id = f.account_id AND a.state = 'refused';

-- name: sweep_forgotten
DELETE FROM forgotten WHERE account_id IN (
    SELECT account_id FROM forgotten WHERE forgotten_at < :before ORDER BY forgotten_at LIMIT :limit
);

-- name: sweep_owners
DELETE FROM owners WHERE name IN (SELECT name FROM owners WHERE until < :before LIMIT :limit);

-- name: some_run_people
SELECT DISTINCT principal FROM runs WHERE principal > :after ORDER BY principal LIMIT :limit;

-- name: sweep_runs_of
DELETE FROM runs WHERE outcome IS NOT NULL AND principal = :principal AND created_at < (
    SELECT created_at FROM runs WHERE principal = :principal
    ORDER BY created_at DESC LIMIT 1 OFFSET 49
)
RETURNING id;

-- name: some_workspaces
SELECT id FROM workspaces WHERE id > :after ORDER BY id LIMIT :limit;

-- Nothing is owed about it: no operation, timer, hours or class, and no message.
-- name: gone_workspace
SELECT w.id FROM workspaces w
WHERE w.gone_again_at < :before AND w.state = 'gone' AND w.stop_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM rules WHERE workspace_id = w.id AND paused = '')
    AND NOT EXISTS (
        SELECT 1 FROM participants seat JOIN class_cards lesson ON lesson.id = seat.card_id
        WHERE seat.workspace_id = w.id AND lesson.done_at IS NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM operations o LEFT JOIN notices n ON n.subject = o.id
        WHERE o.workspace_id = w.id AND (o.outcome IS NULL OR n.state IN ('pending', 'retry'))
    )
    AND NOT EXISTS (SELECT 1 FROM notices WHERE subject = w.id AND state IN ('pending', 'retry'))
ORDER BY w.gone_again_at, w.id LIMIT 1;

-- name: sweep_all_operations_of
DELETE FROM operations WHERE workspace_id = :workspace_id RETURNING id;

-- name: sweep_operations_of
DELETE FROM operations WHERE outcome IS NOT NULL AND workspace_id = :workspace_id AND created_at < (
    SELECT created_at FROM operations WHERE workspace_id = :workspace_id
    ORDER BY created_at DESC LIMIT 1 OFFSET 49
)
RETURNING id;

-- name: some_gates
SELECT gate_key FROM gates WHERE gate_key > :after ORDER BY gate_key LIMIT :limit;

-- name: sweep_gate
DELETE FROM gates WHERE gate_key = :gate_key AND next_check_at < :before AND NOT EXISTS (
    SELECT 1 FROM workspaces w WHERE w.gate_key = :gate_key
);

-- == class cards ==

-- A press is counted soon, but not before the counts may be redrawn.
-- name: look_at_class
UPDATE class_cards SET look_at = CASE
    WHEN counted_at + :rest > :now THEN counted_at + :rest
    ELSE :now END
WHERE id = :id AND done_at IS NULL AND look_at > :now;

-- name: class_counted
UPDATE class_cards SET
    counted = :counted, counted_at = :now, look_at = :look_at,
    -- 0.2.1 may have left members behind.
    follow_at = CASE WHEN :behind > 0 THEN COALESCE(follow_at, :now) ELSE follow_at END,
    changed_at = CASE WHEN counted <> :counted THEN :now ELSE changed_at END
WHERE id = :id;

-- name: close_class
UPDATE class_cards SET
    closed_at = :now, stopped_by = :stopped_by, look_at = :now,
    stops_at = CASE WHEN stops_at < :stops_at THEN stops_at ELSE :stops_at END
WHERE id = :id AND closed_at IS NULL AND done_at IS NULL
RETURNING *;

-- name: courses
SELECT * FROM class_cards WHERE days <> '' AND done_at IS NULL ORDER BY created_at DESC;

-- name: ended_courses
SELECT * FROM class_cards WHERE created_at > :posted_since AND days <> '' AND done_at > :since
ORDER BY created_at DESC LIMIT 100;

-- name: joined_first
SELECT * FROM participants WHERE card_id = :card_id AND (withdrawn_at IS NULL OR workspace_id IS NOT NULL)
ORDER BY joined_at, principal LIMIT :limit;
-- name: repost_class
UPDATE class_cards SET posts = posts + 1 WHERE id = :id RETURNING *;

-- name: class_card_on_its_way
SELECT id FROM notices WHERE subject = :id AND kind = 'class_card' AND state IN ('pending', 'retry', 'leased');

-- name: seats_taken
SELECT COUNT(*) AS count FROM participants
WHERE card_id = :card_id AND (withdrawn_at IS NULL OR workspace_id IS NOT NULL);

-- Each effective press is a consent, even after an earlier one was withdrawn.
-- name: press_class
INSERT INTO participants (
    card_id, principal, joined_at, waits_for, workspace_id, operation_id, is_ready, consented_at, warned_at
) VALUES (
    :card_id, :principal, :now, '', :workspace_id, :operation_id, :is_ready, :now, 1e12
)
ON CONFLICT (card_id, principal) DO UPDATE SET
    waits_for = '', workspace_id = excluded.workspace_id, operation_id = excluded.operation_id,
    is_ready = excluded.is_ready, consented_at = excluded.consented_at, warned_at = excluded.warned_at,
    withdrawn_at = NULL;

-- What waits is as good as when it was last pressed.
-- name: note_participant
INSERT INTO participants (card_id, principal, joined_at, waits_for) VALUES (:card_id, :principal, :now, :waits_for)
ON CONFLICT (card_id, principal) DO UPDATE SET
    waits_for = CASE WHEN participants.workspace_id IS NULL THEN excluded.waits_for ELSE '' END,
    joined_at = CASE WHEN participants.workspace_id IS NULL THEN excluded.joined_at ELSE participants.joined_at END,
    withdrawn_at = CASE WHEN participants.workspace_id IS NULL THEN NULL ELSE participants.withdrawn_at END;

-- name: withdraw_consent
UPDATE participants SET withdrawn_at = :now
WHERE card_id = :card_id AND principal = :principal AND consented_at IS NOT NULL AND withdrawn_at IS NULL
    AND ended_at IS NULL;

-- The one state of each member in a lesson: on :day, a :weekday ('' for one that was moved there), at :begins, which is
-- :local; what was begun or went on :since then is for it, too, unless it starts nothing. :is_on = 0: nothing is begun
-- yet. A class :begins at 0.0: all since its posting; a member's progress is that of the newest operation that brings
-- their workspace up.
-- part: in_lesson
SELECT p.*, r.paused, c.became, o.id AS newest, a.id AS account_id,
    CASE WHEN r.follows <> :state OR r.heard <> :state THEN 1 ELSE 0 END AS is_behind,
    CASE
        WHEN p.withdrawn_at IS NOT NULL AND p.workspace_id IS NULL THEN 'left'
        WHEN CAST(:weekday AS TEXT) <> '' AND r.id IS NOT NULL AND (
            (' ' || r.agreed_days || ' ' || r.days || ' ') NOT LIKE ('% ' || CAST(:weekday AS TEXT) || ' %')
            OR (r.agreed_until < :day AND r.last_day < :day)
        ) THEN 'not_agreed'
        WHEN CAST(:day AS TEXT) <> '' AND (' ' || r.off || ' ') LIKE ('% ' || CAST(:day AS TEXT) || ' %')
            AND (' ' || r.course_off || ' ') NOT LIKE ('% ' || CAST(:day AS TEXT) || ' %') THEN 'skipped'
        WHEN p.waits_for = 'unlinked' THEN 'unlinked'
        WHEN p.waits_for <> '' THEN 'no_workspace'
        WHEN :is_on = 0 AND a.id IS NULL THEN 'unlinked'
        WHEN :is_on = 0 AND (w.id IS NULL OR w.state = 'gone' OR w.hidden = 1 OR r.paused <> '') THEN 'no_workspace'
        WHEN :is_on = 0 THEN 'coming'
        WHEN o.outcome IS NULL AND o.id IS NOT NULL AND a.id IS NOT NULL THEN 'starting'
        WHEN w.state = 'running' AND (o.id IS NULL OR o.outcome IS NOT NULL) THEN 'ready'
        WHEN (p.is_ready = 1 OR o.outcome = 'fulfilled') AND (
            w.id IS NULL OR w.observed_at IS NULL OR w.observed_at <= COALESCE(o.ended_at, p.consented_at)
            OR w.state IN ('starting', 'unknown')
        ) THEN 'ready'
        WHEN p.is_ready = 1 OR o.outcome IN ('fulfilled', 'replaced') THEN 'down'
        WHEN a.id IS NULL THEN 'unlinked'
        WHEN o.outcome = 'failed' AND (o.cause LIKE 'no_room%' OR o.cause LIKE 'limit%') AND o.verb = 'start' AND o.planned_for = :begins THEN 'no_room'
        WHEN o.id IS NOT NULL THEN 'failed'
        WHEN w.id IS NULL OR w.state = 'gone' OR w.hidden = 1 OR r.paused <> '' THEN 'no_workspace'
        WHEN w.state = 'starting' THEN 'starting'
        WHEN c.became IN ('by hand', 'needless', 'started') THEN 'down'
        WHEN c.became IS NOT NULL THEN 'failed'
        ELSE 'coming'
    END AS state
FROM participants p
-- Each by its key: before a large course has statistics, PostgreSQL would pair all with all.
LEFT JOIN rules r ON r.id = (
    SELECT y.id FROM rules y WHERE y.card = p.card_id AND y.principal = p.principal ORDER BY y.id LIMIT 1
)
LEFT JOIN accounts a ON a.id = (
    SELECT b.id FROM accounts b
    WHERE b.principal = p.principal AND b.connection = :connection AND b.state = 'active' ORDER BY b.id LIMIT 1
)
LEFT JOIN workspaces w ON w.id = p.workspace_id
LEFT JOIN operations o ON o.id = (
    SELECT x.id FROM operations x
    WHERE x.workspace_id = p.workspace_id AND x.verb IN ('start', 'restart', 'create')
        AND (x.created_at >= :since OR x.planned_for = :begins OR x.ended_at IS NULL OR x.ended_at >= :since)
        AND (x.lasts IS NULL OR x.lasts > 0.0)
        -- Another try for room says nothing new until it is taken.
        AND NOT (x.outcome IS NULL AND x.start_call IN ('none', 'calling') AND x.planned_for = :begins AND EXISTS (
            SELECT 1 FROM operations y
            WHERE y.workspace_id = x.workspace_id AND y.planned_for = :begins AND y.outcome = 'failed'
                AND (y.cause LIKE 'no_room%' OR y.cause LIKE 'limit%')
        ))
    ORDER BY x.created_at DESC, x.id DESC LIMIT 1
)
LEFT JOIN occurrences c ON c.rule_id = r.id AND c.local = :local AND c.side = 'start'
WHERE p.card_id = :card_id

-- name: class_counts
SELECT
    COALESCE(SUM(CASE WHEN m.state <> 'left' THEN 1 ELSE 0 END), 0) AS joined,
    COALESCE(SUM(CASE WHEN m.state NOT IN ('left', 'not_agreed') THEN 1 ELSE 0 END), 0) AS agreed,
    COALESCE(SUM(CASE WHEN m.state NOT IN ('left', 'not_agreed') AND m.account_id IS NOT NULL THEN 1 ELSE 0 END), 0) AS linked,
    COALESCE(SUM(CASE WHEN :is_on = 1 AND m.state NOT IN ('left', 'not_agreed', 'skipped') THEN 1 ELSE 0 END), 0) AS expected,
    COALESCE(SUM(CASE WHEN m.state = 'ready' THEN 1 ELSE 0 END), 0) AS ready,
    COALESCE(SUM(CASE WHEN m.state = 'starting' THEN 1 ELSE 0 END), 0) AS starting,
    COALESCE(SUM(CASE WHEN m.state = 'failed' THEN 1 ELSE 0 END), 0) AS failed,
    COALESCE(SUM(CASE WHEN m.state = 'unlinked' THEN 1 ELSE 0 END), 0) AS unlinked,
    COALESCE(SUM(CASE WHEN m.state = 'no_workspace' THEN 1 ELSE 0 END), 0) AS no_workspace,
    COALESCE(SUM(CASE WHEN m.state = 'down' THEN 1 ELSE 0 END), 0) AS down,
    COALESCE(SUM(CASE WHEN m.state = 'coming' THEN 1 ELSE 0 END), 0) AS coming,
    COALESCE(SUM(CASE WHEN m.state = 'not_agreed' THEN 1 ELSE 0 END), 0) AS not_agreed,
    COALESCE(SUM(CASE WHEN m.state = 'skipped' THEN 1 ELSE 0 END), 0) AS skipped,
    COALESCE(SUM(CASE WHEN m.state = 'left' THEN 1 ELSE 0 END), 0) AS "left",
    COALESCE(SUM(CASE WHEN m.state = 'no_room' THEN 1 ELSE 0 END), 0) AS no_room,
    COALESCE(SUM(m.is_behind), 0) AS behind,
    COALESCE(SUM(CASE WHEN m.withdrawn_at IS NOT NULL AND m.state <> 'left' THEN 1 ELSE 0 END), 0) AS kept,
    COALESCE(SUM(CASE WHEN s.id IS NOT NULL AND s.outcome IS NULL THEN 1 ELSE 0 END), 0) AS stopping,
    COALESCE(SUM(CASE WHEN s.outcome = 'fulfilled' THEN 1 ELSE 0 END), 0) AS stopped,
    COALESCE(SUM(CASE
        WHEN s.outcome NOT IN ('fulfilled', 'replaced') OR (m.ended_at IS NOT NULL AND w.id IS NOT NULL) THEN 1
        ELSE 0 END), 0) AS not_stopped,
    COALESCE(SUM(CASE
        WHEN :begins = 0.0 AND m.consented_at IS NOT NULL AND m.withdrawn_at IS NULL THEN 1 ELSE 0 END), 0) AS consented,
    COALESCE(SUM(CASE
        WHEN :begins = 0.0 AND m.consented_at IS NOT NULL AND m.withdrawn_at IS NULL AND m.ended_at IS NULL
        THEN 1 ELSE 0 END), 0) AS unended
FROM ({in_lesson}) m
LEFT JOIN operations s ON s.id = m.stop_operation_id
-- What was put off has a timer still.
LEFT JOIN workspaces w ON w.id = m.workspace_id AND w.stop_card = m.card_id AND w.stop_at IS NOT NULL;

-- name: class_problems
SELECT m.* FROM ({in_lesson}) m
WHERE m.state IN ('starting', 'failed', 'no_room', 'unlinked', 'no_workspace')
ORDER BY m.joined_at, m.principal LIMIT :limit;

-- name: notice_about
SELECT id FROM notices WHERE subject = :subject LIMIT 1;

-- How the starts of a lesson ended that were sent :late_at or later, or not at all in time.
-- name: count_late_starts
SELECT
    COALESCE(SUM(CASE WHEN o.called_at >= :late_at AND o.outcome = 'fulfilled' THEN 1 ELSE 0 END), 0) AS late,
    COALESCE(SUM(CASE WHEN o.cause LIKE 'missed%' OR m.became = 'missed' THEN 1 ELSE 0 END), 0) AS missed,
    MIN(CASE WHEN o.called_at >= :late_at AND o.outcome = 'fulfilled' THEN o.called_at END) AS since,
    COALESCE(MAX(o.delayed_by), '') AS delayed_by
FROM ({in_lesson}) m
LEFT JOIN operations o ON o.id = m.newest AND o.good_until IS NOT NULL
WHERE m.state <> 'left';

-- name: member_of
SELECT m.* FROM ({in_lesson} AND p.principal = :principal) m;

-- Those for whom nothing would be ready, or who may not have a template any more, and weren't told so for this lesson.
-- Who doesn't agree to a day has heard of it when it was added, and is told once more.
-- name: members_unserved
SELECT m.* FROM ({in_lesson} AND p.joined_at <= :joined_by) m
WHERE (m.state IN ('unlinked', 'no_workspace', 'not_agreed') OR (:is_made = 1 AND m.state = 'coming'))
    AND NOT EXISTS (
        SELECT 1 FROM notices n
        WHERE n.subject = m.card_id AND n.kind = 'unserved' AND n.principal = m.principal
            AND (n.occasion = (CAST(:local AS TEXT) || ':' || m.principal) OR m.state = 'not_agreed')
    )
ORDER BY m.principal;

-- A press that waits for a link is good until the class or the course ends, or for twelve hours.
-- name: waiting_presses
SELECT 'press ' || p.card_id AS text FROM participants p JOIN class_cards c ON c.id = p.card_id
WHERE p.principal = :principal AND p.waits_for = 'unlinked' AND c.connection = :connection
    AND c.closed_at IS NULL AND c.done_at IS NULL
    AND COALESCE(c.stops_at, p.joined_at + 43200.0) > :now
ORDER BY p.joined_at, p.card_id;

-- What was asked of a workspace since, by anybody, goes before another try.
-- name: failed_starts
SELECT r.*, o.id AS failed_start FROM rules r JOIN operations o ON o.id = (
    SELECT x.id FROM operations x WHERE x.workspace_id = r.workspace_id ORDER BY x.created_at DESC, x.id DESC LIMIT 1
)
WHERE r.card = :card_id AND r.paused = '' AND o.verb = 'start' AND o.planned_for = :begins AND o.outcome = 'failed'
ORDER BY r.id;

-- name: least_unused
SELECT MIN(r.unused) AS unused, MAX(w.last_used_at) IS NOT NULL AS is_said
FROM rules r LEFT JOIN workspaces w ON w.id = r.workspace_id WHERE r.card = :card_id AND r.paused = '';

-- Those who agreed to the end of a class, as long as nothing ends it for them: their workspace's timer, if it has one.
-- name: presses_to_end
SELECT * FROM participants p
WHERE p.card_id = :card_id AND p.consented_at IS NOT NULL AND p.ended_at IS NULL
-- guards: Nobody acts through another's account
    AND p.withdrawn_at IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM workspaces w WHERE w.id = p.workspace_id AND w.stop_card = p.card_id
        AND (w.stop_at <= :stops_at OR w.stop_warning IS NOT NULL)
    )
LIMIT :limit;

-- name: class_of_stop
SELECT c.* FROM participants p JOIN class_cards c ON c.id = p.card_id WHERE p.stop_operation_id = :operation_id;

-- name: starts_ahead
SELECT COUNT(*) AS count FROM operations
WHERE connection = :connection AND outcome IS NULL AND start_call = 'none' AND created_at < :created_at
    AND verb IN ('start', 'restart', 'create');

-- name: starts_of_class
SELECT COUNT(*) AS count, MIN(o.called_at) AS first FROM participants p
JOIN operations o ON o.id = p.operation_id
WHERE p.card_id = :card_id AND o.called_at > :since;

-- name: sweep_class_cards
DELETE FROM class_cards WHERE id IN (
    SELECT id FROM class_cards WHERE created_at < :before AND (days = '' OR done_at < :before)
    AND NOT EXISTS (SELECT 1 FROM participants p WHERE p.card_id = class_cards.id)
    ORDER BY created_at LIMIT :limit
)
RETURNING id;

-- name: sweep_presses
DELETE FROM participants WHERE (card_id, principal) IN (
    SELECT p.card_id, p.principal FROM participants p JOIN class_cards c ON c.id = p.card_id
    WHERE c.created_at < :before AND (c.days = '' OR c.done_at < :before) ORDER BY c.created_at LIMIT :limit
);

-- == Homes ==

-- The answer of an earlier press goes with the next use. Only what Slack still shows needn't be sent again, and a
-- press always brings a view.
-- name: use_home
INSERT INTO homes (principal, used_at, page, is_totals, answer, answered_at, wanted_at)
VALUES (
    :principal, :now, COALESCE(:page, 1), COALESCE(:is_totals, 0), :answer,
    CASE WHEN CAST(:answer AS TEXT) IS NULL THEN NULL ELSE CAST(:now AS DOUBLE PRECISION) END, :now
)
ON CONFLICT (principal) DO UPDATE SET
    used_at = excluded.used_at, uses = homes.uses + 1, page = COALESCE(:page, homes.page),
    is_totals = COALESCE(:is_totals, homes.is_totals), answer = excluded.answer, answered_at = excluded.answered_at,
    wanted_at = COALESCE(homes.wanted_at, excluded.wanted_at),
    drawn = CASE WHEN :seen = homes.view_hash THEN homes.drawn ELSE '' END;

-- People who last used theirs a while ago have probably left.
-- name: want_home
UPDATE homes SET uses = uses + 1, wanted_at = COALESCE(wanted_at, :now)
WHERE principal = :principal AND used_at > :since;

-- A Home that its person used since the claim stays wanted. Only whoever was asked for a view holds the lease.
-- name: home_published
UPDATE homes SET
    drawn = :drawn, view_hash = :view_hash, look_at = :look_at,
    leased_until = CASE WHEN :is_wanted = 1 THEN 0 ELSE leased_until END,
    wanted_at = CASE WHEN uses = :uses THEN NULL ELSE wanted_at END
WHERE principal = :principal;

-- name: due_notice
SELECT id FROM notices
WHERE class IN (0, 1, 2) AND state IN ('pending', 'retry', 'leased') AND due_at <= :now AND held_by IS NULL
LIMIT 1;

-- Nobody waits for what has been superseded to say so, nor for what an act that goes on does.
-- name: due_card
SELECT id FROM cards
WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL AND is_notice = 0 AND stage = 'live'
    AND leased_until <= :now
    AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.id = cards.id AND o.outcome IS NULL) LIMIT 1;

-- name: sweep_homes
DELETE FROM homes WHERE principal IN (
    SELECT principal FROM homes WHERE used_at <= :before ORDER BY used_at LIMIT :limit
);

-- name: asked_approvals
SELECT * FROM approvals WHERE state = 'asked' AND {is_here}
ORDER BY asked_at, id LIMIT :limit;

-- name: asked_approvals_of
SELECT * FROM approvals WHERE principal = :principal AND state = 'asked' ORDER BY asked_at, id;

-- name: slow_starts
SELECT * FROM operations WHERE outcome IS NULL AND verb IN ('start', 'restart', 'create')
    AND :now - COALESCE(called_at, created_at) > COALESCE(slow_seconds, :unless_known)
    AND {is_here}
ORDER BY created_at, id LIMIT :limit;

-- name: counts_of_place
SELECT
    (SELECT COUNT(*) FROM operations WHERE outcome IS NULL AND verb IN ('start', 'restart', 'create')
        AND {is_here}) AS starting,
    (SELECT COUNT(*) FROM runs WHERE outcome IS NULL
        AND {is_here}) AS open_runs,
    (SELECT COUNT(*) FROM runs WHERE outcome = 'failed' AND ended_at >= :since
        AND {is_here}) AS failed_runs,
    (SELECT COUNT(*) FROM notices WHERE {missed}
        AND {is_here}) AS dead_notices;

-- By connection, in batches; of those whose keys begin with :place.
-- name: links_by_connection
SELECT connection, is_here, COUNT(*) AS size, MAX(id) AS last,
    COUNT(*) FILTER (WHERE state = 'active') AS linked,
    COUNT(*) FILTER (WHERE state = 'refused' OR (state <> 'revoking' AND refused_since IS NOT NULL)) AS refused
FROM (
    SELECT id, connection, state, refused_since, {is_here} AS is_here FROM accounts
    WHERE id > :after ORDER BY id LIMIT :limit
) AS batch GROUP BY connection, is_here;

-- name: workspaces_by_connection
SELECT connection, is_here, COUNT(*) AS size, MAX(id) AS last,
    COUNT(*) FILTER (WHERE hidden = 0) AS workspaces,
    COUNT(*) FILTER (WHERE hidden = 0 AND state = 'running') AS running
FROM (
    SELECT id, connection, state, hidden, {is_here} AS is_here FROM workspaces
    WHERE id > :after ORDER BY id LIMIT :limit
) AS batch GROUP BY connection, is_here;

-- name: failed_operations
SELECT * FROM operations WHERE connection = :connection AND outcome = 'failed' AND ended_at >= :since
    AND {is_here}
ORDER BY ended_at DESC, id LIMIT :limit;

-- name: count_failed_operations
SELECT COUNT(*) AS count FROM operations
WHERE connection = :connection AND outcome = 'failed' AND ended_at >= :since
    AND {is_here};

-- name: failed_runs
SELECT * FROM runs WHERE outcome = 'failed' AND ended_at >= :since
    AND {is_here}
ORDER BY ended_at DESC, id LIMIT :limit;

-- == acts: what was done, and what takes it back ==

-- In the thread first, then in its conversation; of each the newest.
-- name: recent_acts
SELECT * FROM acts
WHERE principal = :principal AND done_at > :since AND undone_at IS NULL
ORDER BY
    CASE WHEN channel_id <> :channel_id THEN 2 WHEN thread_ts <> :thread_ts THEN 1 ELSE 0 END,
    done_at DESC, id DESC;

-- name: acts_since
SELECT * FROM acts WHERE principal = :principal AND done_at >= :since ORDER BY done_at DESC, id DESC LIMIT 100;

-- name: sweep_acts
DELETE FROM acts WHERE id IN (SELECT id FROM acts WHERE done_at < :before ORDER BY done_at LIMIT :limit);

-- == conversations: what *it* and *yes* mean ==

-- The thread's own first.
-- name: spoken
SELECT thread_ts, about, spoken_at FROM conversations
WHERE principal = :principal AND channel_id = :channel_id AND thread_ts IN ('', :thread_ts) AND spoken_at > :since
ORDER BY thread_ts DESC;

-- name: card_of_thread
SELECT kind, about FROM cards
WHERE principal = :principal AND channel_id = :channel_id AND message_ts = :thread_ts
    AND kind NOT IN {IN_CHANNEL} AND kind NOT IN ('reply', 'message')
LIMIT 1;

-- name: done_since
SELECT subject, action, done_at FROM acts
WHERE principal = :principal AND channel_id = :channel_id AND done_at > :since AND undone_at IS NULL
ORDER BY done_at DESC LIMIT 1;

-- name: sweep_conversations
DELETE FROM conversations WHERE spoken_at < :before AND principal IN (
    SELECT principal FROM conversations WHERE spoken_at < :before ORDER BY spoken_at LIMIT :limit
);
