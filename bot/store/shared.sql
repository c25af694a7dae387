-- A part is the SQL that {its_name} stands for in queries. {work_items} stands for operations or runs.

-- Step the item immediately, or as soon as its current step is saved. wake_reason is one of
-- bot.store.work_items.WakeReason.
-- part: at_once
revision = revision + 1, wake_reason = CASE WHEN leased_until > :now
-- guards: People ask, the reconciler observes
    AND wake_reason < 3
    THEN 3 ELSE wake_reason END,
    next_step_at = CASE WHEN leased_until > :now OR next_step_at < :now THEN next_step_at ELSE :now END

-- Step the operation no later than :at. A step in progress may only know a later deadline, so another step follows.
-- part: no_later
next_step_at = CASE WHEN next_step_at > :at THEN :at ELSE next_step_at END,
    wake_reason = CASE WHEN leased_until > :now THEN 3 ELSE wake_reason END

-- part: claimed
revision = revision + 1, next_step_at = :until, leased_until = :until, claim = :claim, wake_reason = 0,
    unknown_since = CASE WHEN start_call = 'calling' OR stop_call = 'calling' THEN :now ELSE unknown_since END,
    start_call = CASE WHEN start_call = 'calling' THEN 'unknown' ELSE start_call END,
    stop_call = CASE WHEN stop_call = 'calling' THEN 'unknown' ELSE stop_call END

-- A failover is settled once all claims from the seconds that it lost have ended
-- (``bot.store.maintenance.FAILOVER_CONFIRM_SECONDS``).
-- part: settled
NOT EXISTS (SELECT 1 FROM database_timeline WHERE detected_at + 62.0 > :now)

-- How many of :limit calls still fit into the minute: none during a pause, or until a failover has settled.
-- part: room
(SELECT CASE WHEN EXISTS (
            SELECT 1 FROM slack_methods WHERE team = :team AND method = :method AND paused_until > :now
        ) OR NOT {settled} OR COUNT(*) >= :most THEN 0
        WHEN :most - COUNT(*) < :limit THEN :most - COUNT(*)
        ELSE :limit END
    FROM slack_calls WHERE team = :team AND method = :method AND called_at > :since)

-- The state of the message about the end of an operation or a run (:id), as ``EndState`` in ``bot.domain.notices``. If
-- an output file was posted under a run's card, the card stays, so the message doesn't count.
-- part: end_state
CASE
    WHEN EXISTS (
        SELECT 1 FROM notices e
        WHERE e.subject = :id AND e.state = 'sent' AND (e.message_ts <> '' OR e.combined_into IS NOT NULL)
            AND e.kind IN {END} AND NOT EXISTS (
                SELECT 1 FROM notices f
                WHERE f.subject = e.subject AND f.kind = 'job_file'
                    AND (f.created_at < e.created_at OR e.combined_into IS NOT NULL)
            )
    ) THEN 'sent'
    WHEN EXISTS (
        SELECT 1 FROM notices e
        WHERE e.subject = :id AND e.kind IN {END} AND e.state NOT IN ('sent', 'dead')
    ) THEN 'pending'
    ELSE '' END

-- The account and the person that a step acts for. An account that is being revoked counts only if there is no other.
-- part: acting
LEFT JOIN accounts a ON a.id = (
        SELECT c.id FROM accounts c WHERE c.principal = o.principal AND c.connection = o.connection
        ORDER BY CASE WHEN c.state = 'revoking' THEN 1 ELSE 0 END, c.linked_at DESC, c.id LIMIT 1
    )
LEFT JOIN people p ON p.principal = o.principal

-- part: is_here
substr(principal, 1, length(:place)) = :place
