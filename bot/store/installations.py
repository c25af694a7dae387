"""Where Usher is installed by OAuth, the bot's token there, and which states of installations were used.

``docs/adr/0033-several-slack-workspaces.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from bot.domain.models import AuditEntry, Installed, NewNotice
from bot.store import rows
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.transaction import Transaction

#: For how long nobody else replaces a token that is being replaced: longer than Slack may take to answer.
RENEWING_SECONDS: Final = 30.0
#: How long a state is remembered as used, in seconds; it is valid for a shorter time.
STATE_KEPT: Final = 900.0


def install(
    tx: Transaction, made: Installed, audit: Sequence[AuditEntry] = ()
) -> Literal["new", "again", "enterprise", "team"]:
    """Write an installation, or replace the one that is there.

    Who acts is different in an enterprise and in a single team, so neither replaces the other: "enterprise"
    and "team" say which of them is there already, and that nothing was written. Installed again, a team keeps
    the enterprise that its people's keys begin with.
    """
    if made.team_id is not None and made.enterprise_id is not None:
        if tx.one("installation", id=made.enterprise_id) is not None:
            return "enterprise"
    elif made.team_id is None and tx.one("teams_of_enterprise", enterprise_id=made.enterprise_id) is not None:
        return "team"
    was_there = tx.one("installation", id=made.id) is not None
    tx.run("install", **{**rows.columns(made), "installed_at": tx.now()})
    append_audit(tx, audit)
    return "again" if was_there else "new"


def all_of(tx: Transaction) -> list[Installed]:
    """Return all that weren't removed, sorted by id."""
    return [rows.installed(row) for row in tx.all("installations")]


def remove(tx: Transaction, id_: str, secret: str, audit: Sequence[AuditEntry] = ()) -> bool:
    """Forget a token that Slack took back; return False if it was replaced meanwhile, or was forgotten."""
    if not tx.run("remove_installation", id=id_, secret=secret, now=tx.now()):
        return False
    append_audit(tx, audit)
    return True


def claim_renewal(tx: Transaction, id_: str, secret: str) -> bool:
    """Become the only one who replaces this token for a while; False if somebody else does or did."""
    now = tx.now()
    return tx.run("claim_renewal", id=id_, secret=secret, now=now, until=now + RENEWING_SECONDS) == 1


def renew(tx: Transaction, id_: str, old: str, secret: str, lasts: float | None) -> bool:
    """Replace exactly this token by one that ``lasts`` so many seconds; False if it isn't there any more."""
    expires_at = None if lasts is None else tx.now() + lasts
    return tx.run("renew_installation", id=id_, old=old, secret=secret, expires_at=expires_at) == 1


def lose(tx: Transaction, id_: str, secret: str, notices: Sequence[NewNotice]) -> bool:
    """Note that Slack takes a refresh token no more, and tell people; False if that was noted already."""
    if not tx.run("lose_token", id=id_, secret=secret, now=tx.now()):
        return False
    add_notices(tx, notices)
    return True


def reseal(tx: Transaction, id_: str, old: str, secret: str) -> bool:
    """Write the same token under another key; False if it was replaced meanwhile, or is being replaced."""
    return tx.run("reseal_installation", id=id_, old=old, secret=secret, now=tx.now()) == 1


def use_state(tx: Transaction, state_hash: str) -> bool:
    """Return whether the state of an installation is used for the first time."""
    now = tx.now()
    tx.run("forget_oauth_states", now=now)
    return tx.run("use_oauth_state", state_hash=state_hash, expires_at=now + STATE_KEPT) == 1
