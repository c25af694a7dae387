"""Accounts: people's links to providers, links in progress, and requests for approval.

A person is reminded a week and a day before their link's credential expires.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.domain.people import Principal
from bot.domain.row_times import LinkEnd, Past, Stays

#: How a link was made; "" if that isn't known, or if there is nothing to link.
#: - ``sign_in``, ``token``: by a sign-in at the provider, or with a token. Both prove whose account it is, if
#:   the provider named its owner.
#: - ``approval``, ``import``: by an administrator's approval, or from an operator's file. Neither is a proof.
LinkSource = Literal["", "sign_in", "token", "approval", "import"]
#: Seconds after which a link without a proof ends.
APPROVED_SECONDS: Final = 90 * 86_400.0
#: Seconds until a refused credential is tried again. If it is refused then, too, the person is told.
REPEATED_SECONDS: Final = 30.0
#: Most seconds between two tries of a refused credential.
RAREST_SECONDS: Final = 3600.0
#: How Usher learnt an account's id at the provider: when the link was made, from a token that its person
#: gave, by the account's e-mail address, or from the first answer that had one. "" if the id isn't known.
RemoteIdSource = Literal["", "link", "token", "email", "seen"]
#: Seconds for which a comparison of the account's id allows calls that name the account: ten minutes, less
#: the longest call.
MAX_COMPARED_SECONDS: Final = 570.0
#: Seconds after the first resting link until administrators are told, so that one message has those that
#: follow at once.
RESTING_NOTICE_DELAY_SECONDS: Final = 30.0
#: Seconds within which links that begin to rest belong to the same message.
SAME_REST_SECONDS: Final = 86_400.0
_WHOLE_SECOND_PATTERN: Final = re.compile(r"created=\d+\.0+")
#: Seconds by which a server may round the time of an account's creation after a restart or an upgrade.
MAX_ROUNDED_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """Link a principal to an account on a connection; one per pair.

    ``secret`` is ciphertext (``bot.support.vault``). ``state`` is ``active``, ``refused`` (the person must
    link again) or ``revoking`` (nobody's link any more: the secret is kept only to revoke it).
    ``refused_since`` is set while the provider refuses an active account's credential, last tried at
    ``checked_at``. While the secret is being revoked, it is when the provider first refused that.
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
    #: When its runs were last read.
    runs_read_at: Past | None = None
    #: When the credential expires, as its provider said, and when its person is next reminded of that.
    expires_at: Stays | None = None
    remind_at: Stays | None = None
    #: The account's new username at the provider, if it is refused because of that.
    renamed_to: str | None = None
    link_source: LinkSource = ""
    #: The account's id at the provider: None if it isn't known yet, "" if the provider gives none.
    remote_id: str | None = None
    remote_id_source: RemoteIdSource = ""
    remote_id_at: Past | None = None
    #: When the username was last found to be still this account's.
    compared_at: Past | None = None
    #: Since when the link rests, because the username now belongs to the account ``other_id``.
    resting_since: Past | None = None
    other_id: str | None = None

    @property
    def is_resting(self) -> bool:
        """Return whether its username is another account now, so that nothing may be done through it."""
        return self.resting_since is not None

    def was_compared(self, now: float) -> bool:
        """Return whether its id was compared recently enough for a call that names the account's user."""
        return self.compared_at is not None and 0.0 <= now - self.compared_at <= MAX_COMPARED_SECONDS

    @property
    def is_proven(self) -> bool:
        """Return whether its person has proven that the account is theirs."""
        return bool(self.username) and self.link_source in {"sign_in", "token"}

    @property
    def is_approved(self) -> bool:
        """Return whether others linked it for its person: it ends by itself, and a proof replaces it."""
        return self.link_source in {"approval", "import"}

    @property
    def refusal(self) -> str:
        """Return why a refused account can't be used: a cause of ``bot.messages.texts.problems``."""
        if self.is_resting:
            return "another_account"
        if self.renamed_to:
            return "renamed"
        return "credential_refused" if self.state == "refused" else "sign_in_refused"

    @property
    def is_refused(self) -> bool:
        """Return whether its person may have to link again."""
        return self.state == "refused" or self.is_held

    @property
    def is_held(self) -> bool:
        """Return whether its provider refused the credential when it was last tried."""
        return self.state == "active" and self.refused_since is not None

    def repeats(self, at: float | None) -> bool:
        """Return whether a refusal at this time repeats an earlier one, so that the person is told."""
        return self.is_held and (at or 0.0) - (self.refused_since or 0.0) >= REPEATED_SECONDS

    def compute_retry_delay(self, now: float) -> float:
        """Return the seconds until a refused credential may be tried again; they grow with each refusal."""
        if not self.is_held or self.checked_at is None:
            return 0.0
        lasted = self.checked_at - (self.refused_since or 0.0)
        wait = min(max(lasted, REPEATED_SECONDS), RAREST_SECONDS)
        # A time in the future was written by a clock that has been corrected since.
        return max(self.checked_at + wait - now, 0.0) if self.checked_at <= now else 0.0

    def has_ended(self, now: float) -> bool:
        """Return whether its credential has expired, if the provider said when that happens."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Link:
    """Hold one link in progress, keyed by the SHA-256 of its nonce; valid once, for ten minutes.

    ``deferred_command`` runs afterwards. ``stage`` is ``open``, then ``checked`` (the credential is valid,
    and ``secret`` has its ciphertext), ``code`` (confirmed, and waiting for the code to be typed in Slack)
    and ``used``.
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
    #: SHA-256 of the browser session that opened it. ``proven`` once that browser signed in as the principal.
    browser_hash: str | None = None
    proven: bool = False
    #: When the checked credential expires, as its provider said, and how Usher got it.
    credential_expires_at: Stays | None = None
    link_source: LinkSource = ""
    #: The checked account's id at the provider, "" if it gives none.
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Hold a person's request to be linked as a username, on which an administrator decides.

    ``state`` is ``requested``, then ``approved`` (being checked with the provider) and ``linked``. Otherwise
    it ends as ``denied``, or as ``failed`` (``detail`` says why, such as an unknown username).
    ``deferred_command`` runs afterwards.
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
    #: Keys of the other people in Slack whom the username may mean, the likeliest first (None: not searched
    #: yet). ``answers`` has those who were asked whether the account is theirs, with their answer (None: none
    #: yet).
    similar_users: list[str] | None = None
    answers: dict[str, bool | None] | None = None
    #: Whether it can't be approved yet, because those people have a day to answer.
    awaits_answers: bool = False
    #: The requested user's e-mail address at the provider, if it tells it, and the user's id there.
    email: str | None = None
    remote_id: str | None = None


#: Results of a comparison. ``unclear``: the id, or a part of it, is missing, so nothing follows from it.
Comparison = Literal["same", "another", "unclear"]


def compare_remote_ids(former: str, current: str) -> Comparison:
    """Compare the known id of an account with the id that the provider gives now.

    An id is one word, or several facts such as ``key=value``. Facts are compared if both ids have them.
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
    """Return whether an id alone tells an account from all others; a creation time in seconds doesn't."""
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
    # A database without fractions of seconds rounds a time that its server remembers until a restart.
    is_rounded = first.is_integer() or second.is_integer()
    return is_rounded and abs(first - second) <= MAX_ROUNDED_SECONDS


Occasion = Literal["week", "day", ""]

#: Seconds before the end at which each reminder comes, the earliest first.
_BEFORE: Final[tuple[tuple[Occasion, float], ...]] = (("week", 7 * 86_400.0), ("day", 86_400.0))


def plan_first_reminder(linked_at: float, ends_at: float | None) -> float | None:
    """Return when the first reminder comes; None if the credential ends too soon for one, or never."""
    if ends_at is None:
        return None
    return next((ends_at - before for _, before in _BEFORE if ends_at - before > linked_at), None)


def find_due_reminder(ends_at: float, now: float) -> tuple[Occasion, float | None]:
    """Return the reminder that is due ("" for none), and the time of the next check (None for no more).

    The last check is when the credential expires, as earlier reminders are no longer true then. If nothing
    was checked for a while, only the latest reminder is due.
    """
    if now >= ends_at:
        return "", None
    due: Occasion = ""
    for occasion, before in _BEFORE:
        if now < ends_at - before:
            return due, ends_at - before
        due = occasion
    return due, ends_at
