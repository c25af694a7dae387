-- The answer of an earlier press goes with the next use. Only what Slack still shows needn't be sent again, and a
-- press always brings a view.
-- name: use_home
INSERT INTO homes (principal, used_at, page, is_totals, answer, answered_at, requested_at)
VALUES (
    :principal, :now, COALESCE(:page, 1), COALESCE(:is_totals, 0), :answer,
    CASE WHEN CAST(:answer AS TEXT) IS NULL THEN NULL ELSE CAST(:now AS DOUBLE PRECISION) END, :now
)
ON CONFLICT (principal) DO UPDATE SET
    used_at = excluded.used_at, uses = homes.uses + 1, page = COALESCE(:page, homes.page),
    is_totals = COALESCE(:is_totals, homes.is_totals), answer = excluded.answer, answered_at = excluded.answered_at,
    requested_at = COALESCE(homes.requested_at, excluded.requested_at),
    rendered_digest = CASE WHEN :seen = homes.view_hash THEN homes.rendered_digest ELSE '' END;

-- People who last used theirs a while ago have probably left.
-- name: want_home
UPDATE homes SET uses = uses + 1, requested_at = COALESCE(requested_at, :now)
WHERE principal = :principal AND used_at > :since;

-- A Home that its person used since the claim stays wanted. Only whoever was asked for a view holds the lease.
-- name: home_published
UPDATE homes SET
    rendered_digest = :rendered_digest, view_hash = :view_hash, next_check_at = :next_check_at,
    leased_until = CASE WHEN :is_wanted = 1 THEN 0 ELSE leased_until END,
    requested_at = CASE WHEN uses = :uses THEN NULL ELSE requested_at END
WHERE principal = :principal;
