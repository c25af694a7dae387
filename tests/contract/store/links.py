"""A link attempt whose page waits for a code."""

from dataclasses import replace

from bot.services.linking import Visit, compute_digest

NONCE, CODE = "n" * 43, "BCDF2345"


VISIT = Visit(NONCE, "a browser")


def waiting_for_code(caller, link):
    """Return the link, changed so that it waits for CODE to be typed."""
    row = f"{link.principal.key}/{link.connection}/code/{link.nonce_hash}"
    sealed = caller.context.vault.seal(row, {"code": compute_digest(CODE)})
    return replace(link, stage="code", code_hash=sealed, code_attempts_left=5)
