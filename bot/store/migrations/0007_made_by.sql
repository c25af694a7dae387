-- oldest release that may serve: 0.1.0

-- made_by: how a link was made: sign_in (at the provider), token (whose owner the provider named), approval, import ('':
-- nobody knows, or nothing had to be linked). The record of who did what says it of the links that are there; the
-- latter two end 90 days after its last entry, as new ones do, and their people are reminded a week before.
ALTER TABLE accounts ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
UPDATE accounts SET made_by = 'token' WHERE principal || '/' || connection IN (
    SELECT target FROM audit WHERE action = 'account.linked' AND result = 'ok'
);
UPDATE accounts SET made_by = 'approval' WHERE principal || '/' || connection IN (
    SELECT target FROM audit WHERE detail LIKE '%"proof":"administrator"%' AND seq IN (
        SELECT MAX(seq) FROM audit WHERE action = 'account.linked' AND result = 'ok' GROUP BY target
    )
);
UPDATE accounts SET made_by = 'import' WHERE principal || '/' || connection IN (
    SELECT target FROM audit WHERE detail LIKE '%"proof":"import"%' AND seq IN (
        SELECT MAX(seq) FROM audit WHERE action = 'account.linked' AND result = 'ok' GROUP BY target
    )
);
UPDATE accounts SET
    ends_at = (SELECT MAX(at) FROM audit) + 7776000.0,
    remind_at = (SELECT MAX(at) FROM audit) + 7171200.0
WHERE made_by IN ('approval', 'import') AND state = 'active';
