-- name: pending_approvals
SELECT id, connection FROM approvals WHERE principal = :principal AND state IN ('requested', 'approved') ORDER BY id;

-- name: questions_to
SELECT id FROM notices
WHERE kind = 'account_question' AND principal = :principal AND COALESCE(sent_at, due_at) > :since;

-- The person who decided first stays recorded, since later changes come from the provider's answer.
-- name: decide_approval
UPDATE approvals SET
    state = :state, detail = COALESCE(:detail, detail),
    decided_by = COALESCE(decided_by, :decided_by), decided_at = COALESCE(decided_at, :now)
WHERE id = :id AND state = :expected
RETURNING *;

-- name: asked_approvals
SELECT * FROM approvals WHERE state = 'requested' AND {is_here}
ORDER BY requested_at, id LIMIT :limit;
