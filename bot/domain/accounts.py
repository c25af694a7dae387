"""Accounts: a person's link to a provider, on its way, asked for, and made.

That a link ends is said a week and a day before its credential does.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.domain.people import Principal
from bot.domain.row_times import LinkEnd, Past, Stays

#: How a link was made: by signing in at the provider or with a token, both of which prove whose account it is
#: if the provider named its owner; by an administrator's approval or an operator's file, which prove nothing.
#: "" for what nobody knows, and where there is nothing to link.
LinkSource = Literal["", "sign_in", "token", "approval", "import"]
#: For how long a link counts that nobody proved, in seconds.
APPROVED_SECONDS: Final = 90 * 86_400.0
#: A refused credential is tried again after this; a second refusal then is not the disturbance of a moment.
REPEATED_SECONDS: Final = 30.0
#: The most between two tries, in seconds.
RAREST_SECONDS: Final = 3600.0
#: How an account's id at the provider was learnt: when the link was made, by a token that its person gave, by
#: the address that the account has there, or as the first one seen. "" where it isn't known.
RemoteIdSource = Literal["", "link", "token", "email", "seen"]
#: A call that names its account begins at most this many seconds after the account's id was compared: ten
#: minutes, less the longest call.
MAX_COMPARED_SECONDS: Final = 570.0
#: Administrators are told of links that rest this many seconds after the first, so that those that follow at
#: once are one piece of news.
RESTING_NOTICE_DELAY_SECONDS: Final = 30.0
#: Links that begin to rest within this many seconds are the same piece of news.
SAME_REST_SECONDS: Final = 86_400.0
_WHOLE_SECOND_PATTERN: Final = re.compile(r"created=\d+\.0+")
#: Servers may round the time of an account's creation when they are restarted or upgraded.
MAX_ROUNDED_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """Link a principal to an account on a connection; one per pair.

    ``secret`` is ciphertext (``bot.support.vault``). ``state`` is ``active``, ``refused`` (it can't be used,
    and its person must link again) or ``revoking``: it is nobody's link any more, and its secret is kept for
    nothing but its pending revocation. ``refused_since`` is set while its provider refuses an active
    one, which was last tried at ``checked_at``; of one being revoked it says when that was first refused.
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
    #: When the credential ends, as its provider said, and when its person is reminded of that next.
    expires_at: Stays | None = None
    remind_at: Stays | None = None
    #: What it is called there by now, if that is why it is refused.
    renamed_to: str | None = None
    link_source: LinkSource = ""
    #: The account's id at the provider: None if it isn't known yet, "" if the provider gives none.
    remote_id: str | None = None
    remote_id_source: RemoteIdSource = ""
    remote_id_at: Past | None = None
    #: When its name was last found to be still that account's.
    compared_at: Past | None = None
    #: Since when the link rests, as its name is the account ``other_id`` there.
    resting_since: Past | None = None
    other_id: str | None = None

    @property
    def is_resting(self) -> bool:
        """Return whether its name is another account there: nothing is read, shown or done through it."""
        return self.resting_since is not None

    def was_compared(self, now: float) -> bool:
        """Return whether its id was compared recently enough for a call that names the account."""
        return self.compared_at is not None and 0.0 <= now - self.compared_at <= MAX_COMPARED_SECONDS

    @property
    def is_proven(self) -> bool:
        """Return whether its person has proven that the account is theirs."""
        return bool(self.username) and self.link_source in {"sign_in", "token"}

    @property
    def is_approved(self) -> bool:
        """Return whether others said so instead: it ends by itself, and gives way to a proof."""
        return self.link_source in {"approval", "import"}

    @property
    def refusal(self) -> str:
        """Return the reason against using a refused account: a cause of ``bot.messages.texts.problems``."""
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
        """Return whether its provider refused it when it was last tried."""
        return self.state == "active" and self.refused_since is not None

    def repeats(self, at: float | None) -> bool:
        """Return whether a refusal at this time is one of several, of which people are told."""
        return self.is_held and (at or 0.0) - (self.refused_since or 0.0) >= REPEATED_SECONDS

    def compute_retry_delay(self, now: float) -> float:
        """Return the seconds until a refused one may be tried again: the longer it is refused, the rarer."""
        if not self.is_held or self.checked_at is None:
            return 0.0
        lasted = self.checked_at - (self.refused_since or 0.0)
        wait = min(max(lasted, REPEATED_SECONDS), RAREST_SECONDS)
        # A time ahead was written by a clock that has since been corrected.
        return max(self.checked_at + wait - now, 0.0) if self.checked_at <= now else 0.0

    def has_ended(self, now: float) -> bool:
        """Return whether its credential has ended, as far as its provider said when."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Link:
    """Hold one link in progress, keyed by the SHA-256 of its nonce; valid once, for 10 minutes.

    ``deferred_command`` runs afterwards. ``stage``: ``open`` → ``checked`` (credential is valid, its
    ciphertext in ``secret``) → ``code`` (confirmed, waiting for the code to be typed in Slack) → ``used``.
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
    #: SHA-256 of the browser session that opened it; ``proven`` once that browser signed in as the principal.
    browser_hash: str | None = None
    proven: bool = False
    #: When the checked credential ends, as its provider said, and how it was got.
    credential_expires_at: Stays | None = None
    link_source: LinkSource = ""
    #: The checked account's id at the provider, "" if it gives none.
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Hold a person's request to be linked as a username, which an administrator decides.

    ``state``: ``requested`` → ``approved`` (being checked with the provider) → ``linked``, or ``denied``, or
    ``failed`` (the provider doesn't know the username; ``detail`` says so). ``deferred_command`` is run
    afterwards.
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
    #: Whom else in Slack the username may mean, by their keys, the likeliest first (None: nobody has looked);
    #: who of them was asked whether the account is theirs, and what they said (None: nothing yet).
    similar_users: list[str] | None = None
    answers: dict[str, bool | None] | None = None
    #: It can't be approved yet: whom it may mean has a day to answer.
    awaits_answers: bool = False
    #: The address that the wanted user has at the provider, if it says so, and the user's id there.
    email: str | None = None
    remote_id: str | None = None


#: ``unclear``: an id is missing, or can't be read, so nothing follows from it.
Comparison = Literal["same", "another", "unclear"]


def compare_remote_ids(former: str, current: str) -> Comparison:
    """Compare the known id of an account with the id that the provider gives now.

    An id is one word, or several facts as ``key=value``: then those decide that both have.
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
    """Return whether an id alone tells an account from all others: not a mere second of its creation."""
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
    # A database without fractions of seconds rounds what its server remembers until it is restarted.
    is_rounded = first.is_integer() or second.is_integer()
    return is_rounded and abs(first - second) <= MAX_ROUNDED_SECONDS


Occasion = Literal["week", "day", ""]

#: How long before the end each reminder comes, in seconds; the earliest first.
_BEFORE: Final[tuple[tuple[Occasion, float], ...]] = (("week", 7 * 86_400.0), ("day", 86_400.0))


def plan_first_reminder(linked_at: float, ends_at: float | None) -> float | None:
    """Return when the first reminder comes; None if there is none, as it would come with the link itself."""
    if ends_at is None:
        return None
    return next((ends_at - before for _, before in _BEFORE if ends_at - before > linked_at), None)


def find_due_reminder(ends_at: float, now: float) -> tuple[Occasion, float | None]:
    """Return the reminder that is due ("" once the account has expired), and the time of the next check.

    The last look is at the end, when what was said before is no longer so. After a while without anybody
    looking, only the latest reminder is due.
    """
    if now >= ends_at:
        return "", None
    due: Occasion = ""
    for occasion, before in _BEFORE:
        if now < ends_at - before:
            return due, ends_at - before
        due = occasion
    return due, ends_at
