-- Mark a workspace as used, by its owner unless :last_request_at is NULL. If access through this row isn't proven, it
-- may be tried again.
-- name: use_workspace
UPDATE workspaces SET
    used_at = :now, last_request_at = COALESCE(:last_request_at, last_request_at), generation = generation + :brings_up,
    reason = CASE WHEN :brings_up = 0 THEN reason END,
    attempted_at = CASE WHEN verified_at IS NULL OR state = 'gone' THEN NULL ELSE attempted_at END
WHERE id = :id;

-- Make the gate due, but never before it may open.
-- name: want_gate
INSERT INTO gates (gate_key, connection, remote_id, due_at, requested_at)
SELECT gate_key, connection, remote_id, :now, :now FROM workspaces WHERE id = :id AND remote_id NOT LIKE :unmade
ON CONFLICT (gate_key) DO UPDATE SET
    connection = excluded.connection,
    requested_at = excluded.requested_at,
    due_at = CASE
        WHEN gates.due_at IS NOT NULL AND gates.due_at <= excluded.requested_at THEN gates.due_at
        WHEN gates.next_check_at > excluded.requested_at THEN gates.next_check_at
        ELSE excluded.requested_at END;

-- name: close_gate
UPDATE gates SET next_check_at = :until, claimed_at = :now
WHERE gate_key = :gate_key AND (:is_answered OR next_check_at <= :now);

-- name: take_over_gate
UPDATE gates SET next_check_at = c.next_check_at, claimed_at = c.claimed_at FROM gates c
WHERE gates.gate_key = :gate_key AND c.gate_key = :candidate AND c.next_check_at > gates.next_check_at;

-- The rows of the workspaces whose reads a claim has just granted. They are found by the due time that the claim wrote,
-- which other claims may have written, too.
-- name: watchers
SELECT w.gate_key, w.id, w.connection, w.state, w.used_at, w.verified_at, w.attempted_at, a.id AS account_id,
    a.refused_since, {columns a}, w.lacks, w.lacks_since, w.observed_at, w.last_request_at,
    w.unconfirmed, w.unconfirmed_times, w.unconfirmed_since, w.entry, o.id IS NOT NULL AS has_operation,
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
UPDATE workspaces SET attempted_at = :now
/* postgresql: FROM json_to_recordset(:each) given (id_ TEXT, now_ DOUBLE PRECISION) */
WHERE id = :id;

-- name: gate
SELECT claimed_at AS gate_claimed_at, next_check_at, reader, requested_at, due_at AS gate_due_at
FROM gates WHERE gate_key = :gate_key;

-- A read that was requested after this one was granted still has to be made.
-- name: settle_gate
UPDATE gates SET
    next_check_at = CASE WHEN next_check_at > :opens_at THEN next_check_at ELSE :opens_at END,
    due_at = CASE
        WHEN requested_at <= :granted_at THEN :due_at
        WHEN next_check_at > :opens_at THEN next_check_at
        ELSE :opens_at END
/* postgresql: FROM json_to_recordset(:each) given (
    gate_key_ TEXT, opens_at_ DOUBLE PRECISION, granted_at_ DOUBLE PRECISION, due_at_ DOUBLE PRECISION
) */
WHERE gate_key = :gate_key;

-- Everything needed to record a read, in one query, because there are a thousand reads a second. :ids is a JSON object
-- of which only the keys matter, since both databases have the same function for that.
-- name: read_rows
SELECT w.id, w.gate_key, w.name, w.owner, w.state, w.url, w.detail, w.progress, w.actions, w.expires_at, w.expiry_mode, w.survives_stop,
    w.started_at, w.stop_risks, w.last_used_at, w.reason, w.down_at, w.lacks, w.lacks_since, w.observed_at,
    w.unknown_at, w.verified_at, w.planned_stops, w.up_at, w.down_seen_at, w.template, w.size, w.price, w.currency,
    a.id AS account_id, a.refused_since,
    g.claimed_at AS gate_claimed_at, g.next_check_at, g.reader, g.requested_at, g.due_at AS gate_due_at,
    o.id AS operation_id, o.verb AS operation_verb, o.read_block_reason AS operation_block_reason, o.waits_for,
    o.start_call, o.stop_call, o.called_at, o.prior_call, o.prior_at, o.block_reason AS operation_hold, o.busy_since, o.leased_until
FROM json_each(:ids) wanted
JOIN workspaces w ON w.id = wanted.key
JOIN gates g ON g.gate_key = w.gate_key
LEFT JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
LEFT JOIN operations o ON o.workspace_id = w.id AND o.outcome IS NULL;

-- A read with somebody else's account, or with access to everybody's workspaces, doesn't disprove the person's own list.
-- name: observed_same
UPDATE workspaces SET observed_at = :observed_at, verified_at = :verified_at, last_used_at = :last_used_at,
    unconfirmed = CASE WHEN unconfirmed = 'unlisted' AND NOT :confirms THEN unconfirmed END,
    up_at = CASE WHEN state IN ('starting', 'running') THEN :observed_at ELSE up_at END
/* postgresql: FROM json_to_recordset(:each) given (
    id_ TEXT, observed_at_ DOUBLE PRECISION, verified_at_ DOUBLE PRECISION, last_used_at_ DOUBLE PRECISION,
    confirms_ BOOLEAN
) */
WHERE id = :id AND (observed_at IS NULL OR observed_at <= :observed_at);

-- After some hours, Usher asks whether a running workspace is still needed. If it has just come up, check in half an
-- hour.
-- name: observed
UPDATE workspaces SET
    {changes},
    unconfirmed = CASE WHEN unconfirmed = 'unlisted' AND NOT :confirms THEN unconfirmed END,
    running_since = CASE WHEN :state = 'running' THEN COALESCE(running_since, :observed_at) END,
    idle_check_at = CASE
        WHEN :state = 'running' AND running_since IS NULL THEN :observed_at + 1800.0
        ELSE idle_check_at END,
    down_seen_at = CASE WHEN state IN ('stopped', 'suspended', 'failed') THEN observed_at ELSE down_seen_at END,
    up_at = CASE WHEN :state IN ('starting', 'running') THEN :observed_at ELSE up_at END
WHERE id = :id AND (observed_at IS NULL OR observed_at <= :observed_at);

-- name: note_unknown
UPDATE workspaces SET {changes}
WHERE id = :id AND (observed_at IS NULL OR observed_at <= :granted_at);

-- name: note_gone
UPDATE workspaces SET
    gone_at = CASE WHEN :is_new OR gone_at IS NULL THEN :at ELSE gone_at END,
    gone_confirmed_at = CASE WHEN NOT :is_new AND gone_at <= :at - :again THEN COALESCE(gone_confirmed_at, :at) END
WHERE id = :id;

-- name: wake_operation
UPDATE operations SET
    revision = revision + 1, read_block_reason = :block_reason,
    wake_reason = CASE
        WHEN leased_until > :now AND wake_reason < :strength THEN :strength
        ELSE wake_reason END,
    next_step_at = CASE
        WHEN leased_until > :now OR next_step_at <= :now THEN next_step_at
        WHEN waits_for = 'read' OR (waits_for = 'change' AND :strength = 2) THEN :now
        ELSE next_step_at END
WHERE id = :id AND outcome IS NULL;
