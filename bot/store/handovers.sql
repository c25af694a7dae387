-- The message saying that a workspace is ready, if there is one. Writing to its row keeps it from being claimed until
-- this transaction is committed.
-- name: keep_ready
UPDATE notices SET attempts = attempts WHERE subject = :subject AND kind = 'ready' AND occasion = 'end'
RETURNING state, attempts;

-- name: ready_cards
SELECT id, body FROM cards WHERE subject = :subject AND kind IN ('ready', 'ready_link');
