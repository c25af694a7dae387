"""The Slack workspaces and enterprises where Usher is installed.

See ``docs/adr/0101-a-place-is-stored-once.md``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from bot.domain.audit import AuditEntry
from bot.domain.installations import Installed
from bot.domain.notices import NewNotice
from bot.domain.people import Principal
from bot.store.audit import append_audit
from bot.store.fan_out import FAN_OUT_BATCH_SIZE
from bot.store.notices import add_notices
from bot.store.tables import IDENTITY, INSTALLATIONS, OAUTH_STATES, PLACES
from bot.store.transaction import Priority, Transaction, as_json, from_json, prioritize

#: Time limit, in seconds, for replacing a token. After that, another process may try. Slack always answers
#: within this time.
RENEWING_SECONDS: Final = 30.0
#: How long a used OAuth state is remembered, in seconds. No state is valid for that long.
STATE_RETENTION_SECONDS: Final = 900.0


@prioritize(Priority.URGENT)
def install(
    tx: Transaction, made: Installed, audit: Sequence[AuditEntry] = ()
) -> Literal["new", "again", "enterprise", "team"]:
    """Write an installation, replacing an earlier one with the same id.

    The installations of an enterprise and of its teams never replace each other, because they serve different
    people. If the enterprise is already installed, a team's installation isn't written, and the result is
    "enterprise". If one of the teams is already installed, the enterprise's installation isn't written, and
    the result is "team".
    """
    if made.team_id is not None and made.enterprise_id is not None:
        if INSTALLATIONS.row(tx, id=made.enterprise_id, removed_at=None) is not None:
            return "enterprise"
    elif made.team_id is None and tx.one("teams_of_enterprise", enterprise_id=made.enterprise_id) is not None:
        return "team"
    former = INSTALLATIONS.row(tx, id=made.id)
    place = keep_place(tx, made.id, made.enterprise_id)
    made = replace(made, enterprise_id=place, organisation_id=made.enterprise_id)
    made = replace(made, installed_at=tx.now(), lost_at=None)
    INSTALLATIONS.upsert(tx, made, renewing_until=0, removed_at=None)
    append_audit(tx, audit)
    return "new" if former is None or former["removed_at"] is not None else "again"


def list_installations(tx: Transaction) -> list[Installed]:
    """Return all installations except removed ones, sorted by id."""
    return INSTALLATIONS.query(tx, "installations")


@prioritize(Priority.URGENT)
def remove_installation(tx: Transaction, id_: str, secret: str, audit: Sequence[AuditEntry] = ()) -> bool:
    """Delete a token that Slack has revoked. Return False if it was already replaced or deleted."""
    if not INSTALLATIONS.count_changed(
        tx, {"id": id_, "secret": secret, "removed_at": None}, removed_at=tx.now(), secret="", expires_at=None
    ):
        return False
    append_audit(tx, audit)
    return True


@prioritize(Priority.URGENT)
def claim_renewal(tx: Transaction, id_: str, secret: str) -> bool:
    """Claim the right to replace a token, for ``RENEWING_SECONDS``.

    Return False if another process has claimed it, or if the token has been replaced or removed.
    """
    now = tx.now()
    return tx.count("claim_renewal", id=id_, secret=secret, now=now, until=now + RENEWING_SECONDS) == 1


@prioritize(Priority.URGENT)
def renew_installation(tx: Transaction, id_: str, old: str, secret: str, lasts: float | None) -> bool:
    """Replace a token with a new one. Return False if the old token is no longer stored.

    ``lasts`` is the new token's lifetime in seconds, or None if it doesn't expire.
    """
    expires_at = None if lasts is None else tx.now() + lasts
    current = {"id": id_, "secret": old, "removed_at": None}
    renewed = {"secret": secret, "expires_at": expires_at, "renewing_until": 0, "lost_at": None}
    return INSTALLATIONS.count_changed(tx, current, **renewed) == 1


@prioritize(Priority.URGENT)
def lose_token(tx: Transaction, id_: str, secret: str, notices: Sequence[NewNotice]) -> bool:
    """Record that Slack rejects a refresh token, and write the notices.

    Return False if the rejection was already recorded, or if the token has been replaced.
    """
    kept = {"id": id_, "secret": secret, "lost_at": None, "removed_at": None}
    if not INSTALLATIONS.count_changed(tx, kept, lost_at=tx.now()):
        return False
    add_notices(tx, notices)
    return True


def reseal_installation(tx: Transaction, id_: str, old: str, secret: str) -> bool:
    """Re-encrypt a token with another key. Return False if it has been replaced or is being replaced."""
    return tx.count("reseal_installation", id=id_, old=old, secret=secret, now=tx.now()) == 1


@prioritize(Priority.URGENT)
def use_oauth_state(tx: Transaction, state_hash: str) -> bool:
    """Mark the OAuth state of an installation as used. Return whether this is its first use."""
    now = tx.now()
    tx.run("forget_oauth_states", now=now, limit=FAN_OUT_BATCH_SIZE)
    return OAUTH_STATES.add_new(tx, state_hash=state_hash, expires_at=now + STATE_RETENTION_SECONDS)


@prioritize(Priority.URGENT)
def keep_place(tx: Transaction, id_: str, enterprise_id: str | None) -> str | None:
    """Return the enterprise id that is part of the keys of an installation's people.

    The id is stored when the installation is first seen, and never changes after that. ``enterprise_id`` is
    the id that Slack gives now. It is used only for an installation that has no rows yet.
    """
    if (kept := PLACES.row(tx, id=id_)) is None:
        first = _find_place_in_rows(tx, id_, enterprise_id)
        PLACES.add_new(tx, id=id_, enterprise_id=first, seen_at=tx.now())
        kept = PLACES.row(tx, id=id_) or {"enterprise_id": first}
    return None if kept["enterprise_id"] is None else str(kept["enterprise_id"])


def _find_place_in_rows(tx: Transaction, id_: str, enterprise_id: str | None) -> str | None:
    """Return the enterprise id that occurs most often in the keys of linked accounts.

    In a tie, the id with the older accounts wins. Releases up to 0.3.0 didn't store this id but used the one
    that Slack gave at each start. If a Slack workspace has joined an organisation since, its accounts may
    have either kind of key. If there are no accounts, the id from the last start of one of those releases is
    used.
    """
    rows = tx.all("accounts_at", place=f"%:{id_}:%")
    if linked := [row for row in rows if row["link_source"]] or rows:
        counts = Counter(Principal.from_key(row["principal"]).enterprise_id for row in linked)
        return counts.most_common(1)[0][0]
    identity = IDENTITY.row(tx, id=1)
    said = {} if identity is None else dict(from_json(identity["auth_test"]))
    return said.get("enterprise_id") or None if said.get("team_id") == id_ else enterprise_id


def find_other_enterprises(tx: Transaction, id_: str, enterprise_id: str | None) -> dict[str, str | None]:
    """Map users to the enterprise id of their latest link, if it differs from the installation's own.

    Links that people made themselves take precedence over accounts created on first use (linking ``none``).
    """
    rows = [Principal.from_key(row["principal"]) for row in tx.all("accounts_at", place=f"%:{id_}:%")]
    latest = {one.user_id: one.enterprise_id for one in rows}
    return {user: enterprise for user, enterprise in latest.items() if enterprise != enterprise_id}


@prioritize(Priority.URGENT)
def save_identity(tx: Transaction, digest: str, answer: Mapping[str, Any]) -> None:
    """Save Slack's answer about the bot token with this digest, replacing any answer about another token."""
    IDENTITY.upsert(tx, id=1, digest=digest, auth_test=as_json(dict(answer)))


def find_identity(tx: Transaction, digest: str) -> dict[str, Any] | None:
    """Return Slack's last answer about the bot token with this digest, or None if none is stored."""
    row = IDENTITY.row(tx, id=1, digest=digest)
    return None if row is None else dict(from_json(row["auth_test"]))
