"""Accounts: users' links to providers, links in progress, and approval requests."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.domain.people import Principal
from bot.domain.row_times import LinkEnd, Past, Stays

#: How a link was made, or "" if that isn't known or there is no link.
#: - ``sign_in``, ``token``: by signing in at the provider, or with a token. Both prove who owns the account
#:   if the provider named its owner.
#: - ``approval``, ``import``: by an administrator's approval, or from an operator's file. Neither proves who
#:   owns the account.
LinkSource = Literal["", "sign_in", "token", "approval", "import"]
#: How long, in seconds, a link lasts if it was made by an administrator's approval or from an operator's
#: file. It then expires, unless the user has proven that the account is theirs.
APPROVED_SECONDS: Final = 90 * 86_400.0
#: How long, in seconds, to wait before trying a refused credential again. The user is told only if it is
#: refused again.
REPEATED_SECONDS: Final = 30.0
#: Maximum time, in seconds, between two attempts with a refused credential.
RAREST_SECONDS: Final = 3600.0
#: How Usher learned an account's id at the provider: when the link was made, from a token that the user
#: supplied, by the account's e-mail address, or from the first answer that contained the id. It is "" if the
#: id isn't known.
RemoteIdSource = Literal["", "link", "token", "email", "seen"]
#: How long, in seconds, Usher relies on a check that a username still belongs to the linked account. This is
#: a little less than ten minutes, so that even at the end of a slow call to the provider, the check is no
#: more than ten minutes old. If the account's id isn't known yet, Usher asks the provider for it at most this
#: often.
MAX_COMPARED_SECONDS: Final = 570.0
#: How long, in seconds, to wait before telling administrators about a suspended link. If other links are
#: suspended meanwhile, the same message reports them.
RESTING_NOTICE_DELAY_SECONDS: Final = 30.0
#: Links of the same connection that are suspended within this many seconds of each other are reported to
#: administrators together.
SAME_REST_SECONDS: Final = 86_400.0
MAX_DEFERRED_COMMANDS: Final = 10
#: Key in the body of a command that is waiting for the user to link an account. Its value lists the earlier
#: commands that are waiting for that link.
_EARLIER: Final = "earlier"
#: The stored form of a deferred command (``handlers.requests.deferred_command``).
CommandBody = dict[str, Any]
_WHOLE_SECOND_PATTERN: Final = re.compile(r"created=\d+\.0+")
#: How far apart, in seconds, two reported creation times of the same account may be. Some servers round the
#: time after a restart or upgrade.
MAX_ROUNDED_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """A person's link to their account on a connection.

    There is one per connection, apart from links that are being revoked. ``secret`` is ciphertext
    (``bot.support.vault``). ``state`` is ``active``, ``refused`` (the user must link again) or ``revoking``
    (the link has ended, and the secret is kept only until it is revoked). For an active account,
    ``refused_since`` is set while the provider refuses its credential, which was last tried at
    ``checked_at``. While the secret is being revoked, ``refused_since`` is when the provider first refused to
    revoke it.
    """

    id: str
    principal: Principal
    connection: str
    username: str
    secret: str
    state: Literal["active", "refused", "revoking"]
    linked_at: Past
    discovered_at: Past | None = None
    unlinked_at: Past | None = None
    refused_since: Past | None = None
    checked_at: Past | None = None
    runs_read_at: Past | None = None
    #: When the credential expires, according to its provider. ``remind_at`` is when the next reminder is due.
    expires_at: Stays | None = None
    remind_at: Stays | None = None
    #: The account's new username at the provider, if the provider refuses the account because it was renamed.
    renamed_to: str | None = None
    link_source: LinkSource = ""
    #: The account's id at the provider. It is None if it isn't known yet, and "" if the provider has none.
    remote_id: str | None = None
    remote_id_source: RemoteIdSource = ""
    remote_id_at: Past | None = None
    #: When Usher last confirmed that the username still belongs to this account.
    compared_at: Past | None = None
    #: When the link was suspended because its username now belongs to the account ``other_id``.
    resting_since: Past | None = None
    other_id: str | None = None

    @property
    def pair(self) -> dict[str, str]:
        """Return the columns that rows about this link have in common."""
        return {"principal": self.principal.key, "connection": self.connection}

    @property
    def is_resting(self) -> bool:
        """Return whether the link is suspended because its username now belongs to another account."""
        return self.resting_since is not None

    def was_compared(self, now: float) -> bool:
        """Return whether the account's id was checked so recently that calls needn't check it again."""
        return self.compared_at is not None and 0.0 <= now - self.compared_at <= MAX_COMPARED_SECONDS

    @property
    def is_proven(self) -> bool:
        """Return whether the user has proven that the account belongs to them."""
        return bool(self.username) and self.link_source in {"sign_in", "token"}

    @property
    def is_approved(self) -> bool:
        """Return whether an administrator or operator made the link, so that it expires unless proven."""
        return self.link_source in {"approval", "import"}

    @property
    def refusal(self) -> str:
        """Return why a refused account can't be used, as a cause from ``bot.messages.texts.problems``."""
        if self.is_resting:
            return "another_account"
        if self.renamed_to:
            return "renamed"
        return "credential_refused" if self.state == "refused" else "sign_in_refused"

    @property
    def is_refused(self) -> bool:
        """Return whether the link may be broken, so that the user would have to link again."""
        return self.state == "refused" or self.is_held

    @property
    def is_held(self) -> bool:
        """Return whether the provider refused the credential at the last attempt to use it."""
        return self.state == "active" and self.refused_since is not None

    def repeats(self, at: float | None) -> bool:
        """Return whether a refusal now confirms an earlier one, so that the user must be told."""
        return self.is_held and (at or 0.0) - (self.refused_since or 0.0) >= REPEATED_SECONDS

    def compute_retry_delay(self, now: float) -> float:
        """Return how many seconds to wait before a refused credential is tried again."""
        if not self.is_held or self.checked_at is None:
            return 0.0
        lasted = self.checked_at - (self.refused_since or 0.0)
        wait = min(max(lasted, REPEATED_SECONDS), RAREST_SECONDS)
        # A time in the future is wrong: it was written before the clock was corrected.
        return max(self.checked_at + wait - now, 0.0) if self.checked_at <= now else 0.0

    def has_ended(self, now: float) -> bool:
        """Return whether the account's credential has expired, or False if its expiry isn't known."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Link:
    """A link in progress. Its key is the SHA-256 of its nonce, and it can be used once, within ten minutes.

    ``deferred_command`` runs once the link has been made, after any earlier commands nested inside it
    (``defer_after``). ``stage`` is ``open``, then ``checked`` (the credential is valid, and ``secret`` holds
    its ciphertext), ``code`` (confirmed, and waiting for the user to type the code in Slack) and ``used``.
    """

    nonce_hash: str
    principal: Principal
    connection: str
    deferred_command: dict[str, Any] | None
    created_at: Past
    expires_at: LinkEnd
    stage: Literal["open", "checked", "code", "used"] = "open"
    attempts_left: int = 5
    secret: str | None = None
    username: str | None = None
    code_hash: str | None = None
    code_attempts_left: int = 5
    #: SHA-256 digest of the secret held by the browser in which the user is linking the account. ``proven``
    #: is set once the user has signed in with Slack in that browser.
    browser_hash: str | None = None
    proven: bool = False
    #: When the credential that the provider has accepted expires, according to the provider. ``link_source``
    #: says whether the user signed in for it or supplied a token.
    credential_expires_at: Stays | None = None
    link_source: LinkSource = ""
    #: The id of the credential's account at the provider, or "" if the provider has none. It is None until
    #: the provider has accepted a credential.
    remote_id: str | None = None


def defer_after(earlier: Iterable[CommandBody | None], newest: CommandBody | None) -> CommandBody | None:
    """Return the newest command that is waiting for a link, with the earlier ones nested inside it.

    If several commands have the same text, only the newest is kept. In all, at most ``MAX_DEFERRED_COMMANDS``
    are kept.
    """
    by_text: dict[str, CommandBody] = {}
    for command in (command for body in (*earlier, newest) for command in list_deferred(body)):
        text = command.get("text", "")
        by_text.pop(text, None)
        by_text[text] = command
    kept = [*by_text.values()][-MAX_DEFERRED_COMMANDS:]
    if not kept:
        return None
    return kept[-1] | ({_EARLIER: kept[:-1]} if kept[1:] else {})


def list_deferred(body: CommandBody | None) -> list[CommandBody]:
    """Return the commands that the body of a link or an approval request contains, oldest first."""
    if body is None:
        return []
    return [*body.get(_EARLIER, ()), {name: value for name, value in body.items() if name != _EARLIER}]


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's request to link a username. An administrator decides on it.

    ``state`` is ``requested``, then ``approved`` (being checked with the provider) and ``linked``. Otherwise
    it ends as ``denied``, or as ``failed`` (``detail`` says why, such as an unknown username).
    ``deferred_command`` is as in ``Link``.
    """

    id: str
    principal: Principal
    connection: str
    username: str
    state: str
    requested_at: Past
    decided_by: str | None = None
    decided_at: Past | None = None
    detail: str | None = None
    deferred_command: dict[str, Any] | None = None
    #: Keys of the other people in Slack who may own the username, most likely first, or None if Usher hasn't
    #: searched for them yet. ``answers`` maps each person who was asked whether they own it to their answer,
    #: or to None if they haven't answered.
    similar_users: list[str] | None = None
    answers: dict[str, bool | None] | None = None
    #: Whether Usher is still waiting for answers from the people it asked, who have a day to reply. Until it
    #: stops waiting, the request can't be approved.
    awaits_answers: bool = False
    #: The requested account's e-mail address, if the provider reveals it. ``remote_id`` is the account's id
    #: at the provider.
    email: str | None = None
    remote_id: str | None = None


#: The result of comparing an account's current id with the stored one. It is ``unclear`` if the provider
#: reports no id, or an id that lacks one of the stored id's ``key=value`` facts.
Comparison = Literal["same", "another", "unclear"]


def compare_remote_ids(former: str, current: str) -> Comparison:
    """Compare an account's stored id with the id that the provider reports now.

    An id is either a single word or several ``key=value`` facts. A fact is compared only if both ids have it.
    """
    if not current.strip():
        return "unclear"
    if "=" not in former or "=" not in current:
        return "same" if former.casefold() == current.casefold() else "another"
    before, now = _parse_id(former), _parse_id(current)
    if any(not _are_same_fact(before[key], now[key]) for key in before.keys() & now.keys()):
        return "another"
    return "same" if before.keys() <= now.keys() else "unclear"


def is_unique(remote_id: str | None) -> bool:
    """Return whether an id alone identifies an account. A creation time in whole seconds doesn't."""
    return bool(remote_id) and _WHOLE_SECOND_PATTERN.fullmatch(remote_id or "") is None


def _parse_id(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (fact.partition("=") for fact in text.split())}


def _are_same_fact(before: str, now: str) -> bool:
    if before == now or "." not in before + now:
        return before == now
    try:
        first, second = float(before), float(now)
    except ValueError:
        return False
    # The server may report the exact time until it restarts, and a rounded time afterwards, if the provider's
    # database doesn't store fractions of a second.
    is_rounded = first.is_integer() or second.is_integer()
    return is_rounded and abs(first - second) <= MAX_ROUNDED_SECONDS


Occasion = Literal["week", "day", ""]

#: Reminders that a credential will expire, earliest first. Each has an occasion, and says how many seconds
#: before the expiry it is due.
_BEFORE: Final[tuple[tuple[Occasion, float], ...]] = (("week", 7 * 86_400.0), ("day", 86_400.0))


def plan_first_reminder(linked_at: float, ends_at: float | None) -> float | None:
    """Return when the first reminder is due, or None if the credential never expires or expires too soon."""
    if ends_at is None:
        return None
    return next((ends_at - before for _, before in _BEFORE if ends_at - before > linked_at), None)


def find_due_reminder(ends_at: float, now: float) -> tuple[Occasion, float | None]:
    """Return the reminder that is due now ("" if none), and when to check again (None if it was the last).

    The last check takes place when the credential expires, because earlier reminders are no longer true then.
    If several checks were missed, only the latest reminder is due.
    """
    if now >= ends_at:
        return "", None
    due: Occasion = ""
    for occasion, before in _BEFORE:
        if now < ends_at - before:
            return due, ends_at - before
        due = occasion
    return due, ends_at
