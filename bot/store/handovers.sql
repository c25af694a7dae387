-- Whether a message saying that a workspace is ready has been or is being sent. It may lack an address that became
-- known later.
-- name: ready_begun
SELECT 1 AS found FROM notices
WHERE subject = :subject AND kind = 'ready' AND occasion = 'end' AND (state <> 'pending' OR attempts > 0);

-- name: ready_cards
SELECT id, body FROM cards WHERE subject = :subject AND kind IN ('ready', 'ready_link');
