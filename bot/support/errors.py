"""The whole exception tree.

::

    UsherError
    ├── Refused                       ends a person's request, with a text for them
    │   ├── NotLinked                 their account can't be used: they are offered a link
    │   └── NotIdentified             Slack hasn't said yet who they are: the request waits
    ├── StoreError
    │   ├── StoreBusy                 not committed within 2 s; nothing was done
    │   ├── StoreUnsure               committing for 2 s; it will be known whether that went through
    │   ├── StoreUnavailable          disk full, read-only, locked, gone
    │   ├── StoreTooNew               the database is newer than the code
    │   ├── StoreMigrated             it became so while this process served from it
    │   └── StoreUnreleased           the database was made before the first release
    ├── SecretError                   a stored secret could not be opened
    ├── SlackFailed                   Slack refused or did not answer
    │   ├── SlackLimited              429, with the seconds to wait
    │   ├── SlackUnknownOutcome       the request was sent, no answer came
    │   └── SlackPermanent            no such user, token revoked, …
    └── ProviderError
        ├── TemporaryError            try again later
        │   ├── Unreachable           nothing was sent
        │   │   └── UntrustedCertificate  nobody that is trusted vouches for the server
        │   ├── UnknownOutcome        it was sent, no answer came: read before retrying
        │   ├── RateLimited           429, with the seconds to wait if given
        │   ├── ServerFailed          5xx
        │   ├── BadAnswer             HTML, null, wrong types, too large, too deep
        │   └── SentTooLate           the poll gate dropped the request; nothing was sent
        └── PermanentError            trying again changes nothing
            ├── CredentialRefused     link again
            │   ├── CredentialExpired refresh once where the provider can, otherwise link again
            │   └── Renamed           it is good, but its account has another name by now: link again
            ├── Forbidden             the credential is good, the right is missing
            ├── NotFound              no such resource (a read answers ``gone`` instead)
            ├── Conflict              not possible in the present state
            ├── InvalidRequest        the provider names what is wrong
            ├── Misconfigured         how the server or the account is set up rules it out
            ├── Untrusted             the answer leads elsewhere, or to somebody else's account
            ├── OutcomeNotReported                nothing there tells what became of a call
            └── LimitReached          quota, or number of servers, of a person's own
                └── NoCapacity            others have what there is: it may be free later

Separate from this is ``bot.support.settings.SettingsError``: all problems of the settings, before start-up.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

#: Replaces a message where the provider sent none, or only its status in words.
_CODE_PATTERN: Final = re.compile(r"(HTTP|error) \S+")
#: How our own sentence begins about a refusal by something between us and the server.
IN_FRONT: Final = "Something in front of the server"
_STATUS_PHRASES: Final = frozenset(status.phrase.casefold() for status in HTTPStatus)


class UsherError(Exception):
    """Root of everything that Usher raises on purpose."""


class NotDone(UsherError):
    """The base of one-sentence reasons for a command not done, with a next step."""


class Refused(UsherError):
    """End a person's request: they read what is wrong and the next step.

    ``rule`` names the rule for the audit (``policy.guest``, ``workspace.unknown`` …). The sentence is drawn
    from the ``cause`` (the rule where it has no other), the connection's ``title`` and other ``words``
    (``bot.messages.texts.refusals``); who speaks to the person anyway gives the ``text``.
    """

    def __init__(
        self, rule: str, text: str = "", /, *, cause: str = "", title: str = "", **words: object
    ) -> None:
        super().__init__(rule)
        self.rule = rule
        self.text = text
        self.cause = cause or rule
        self.title = title
        self.words = words
        #: What the policy refused, for the audit: the verb, its target, and the policy's rule.
        self.denied: tuple[str, str, str] | None = None


class NotLinked(Refused):
    """Signal that a person's account on a connection can't be used: not linked, or no longer accepted."""

    def __init__(self, connection: str, cause: str, title: str, *, is_refused: bool = False) -> None:
        super().__init__("account.refused" if is_refused else "account.none", cause=cause, title=title)
        self.connection = connection
        self.is_refused = is_refused


class NotIdentified(Refused):
    """The identity of a person that Slack hasn't confirmed yet: their request has to wait."""


class StoreError(UsherError):
    """The base of the store's errors."""


class StoreBusy(StoreError):
    """Signal that a transaction didn't commit in time and was rolled back."""


class StoreUnsure(StoreError):
    """Signal that a commit is taking longer than its caller waits: it may still go through."""


class StoreUnavailable(StoreError):
    """Signal that the database can't be used at all; the message names the cause for operators."""


class StoreNotMigrated(StoreUnavailable):
    """Signal that a table is missing."""


class StoreAway(StoreUnavailable):
    """Signal that the database's server doesn't answer now; it may in a moment."""


class StoreRefused(StoreAway):
    """Signal that the database's server answers, and lets nobody in; the message has its reason."""


class StoreInUse(StoreError):
    """Signal that another process serves from this database; the message says what to do."""


class StoreOutdated(StoreError):
    """Signal that a database isn't the one in use: a copy, or one that was copied; the message says more."""


class TooLate(StoreError):
    """A request that is no longer good, so that no call for it may be committed to."""


class Outdated(StoreError):
    """Signal that the rows behind a decision have changed since: decide again before calling."""


class StoreTooNew(StoreError):
    """Signal that the database was migrated by a newer release."""


class StoreMigrated(StoreError):
    """Signal that a newer release has migrated the database from which this process serves."""


class StoreTooOld(StoreError):
    """Signal that the database was left by a release from which this one can't go on."""


class StoreUnreleased(StoreError):
    """Signal that the database predates the first release; the message says what to do."""


class SecretError(UsherError):
    """Signal that a secret could not be opened: wrong keys, or a row that was swapped."""


class SlackFailed(UsherError):
    """Signal that a Slack method failed; ``code`` is Slack's error code."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code


class SlackLimited(SlackFailed):
    """Signal that Slack wants a pause of ``retry_after`` seconds."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, "ratelimited")
        self.retry_after = retry_after


class SlackUnknownOutcome(SlackFailed):
    """Signal that a request was sent to Slack and no answer came."""


class SlackPermanent(SlackFailed):
    """Signal that sending this again will never work."""


class SlackRefusedHere(SlackFailed):
    """Signal that Slack refuses the app one conversation, person or method, and lets it in otherwise.

    Nothing is sent there for ``retry_after`` seconds.
    """

    def __init__(self, method: str, code: str, retry_after: float) -> None:
        super().__init__(method, code)
        self.retry_after = retry_after


class ProviderError(UsherError):
    """Signal that a provider's call failed; ``message`` is short, unescaped, without secrets.

    It is the provider's own if it came with the HTTP ``status`` of an answer. Otherwise it is ours, and a
    sentence with the next step where people read it: Forbidden, Conflict, InvalidRequest, LimitReached.
    """

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        #: The refused response (``bot.support.responses``), until the error leaves its provider, or None.
        self.response: Any = None

    @property
    def is_ours(self) -> bool:
        """Return whether the message is our own sentence; a redirect or a page says nothing itself."""
        return self.status is None or 300 <= self.status < 400 or self.message.startswith(IN_FRONT)

    @property
    def is_quoted(self) -> bool:
        """Return whether the message is the provider's own text, and not a code in place of words."""
        said = self.message.strip(" .")
        is_code = not said or _CODE_PATTERN.fullmatch(said) or said.casefold() in _STATUS_PHRASES
        return not self.is_ours and not is_code


class TemporaryError(ProviderError):
    """Signal that the same call may work later; ``retry_after`` is in seconds if the provider gave it."""

    def __init__(
        self, message: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after

    @property
    def is_refusal(self) -> bool:
        """Return whether the provider said that it is too busy and did nothing."""
        return False


class Unreachable(TemporaryError):
    """Signal that no connection could be made; nothing was sent."""


class UntrustedCertificate(Unreachable):
    """Signal that the server's certificate isn't trusted, so that nothing was sent."""


class UnknownOutcome(TemporaryError):
    """Signal that the request was sent and no usable answer came."""


class RateLimited(TemporaryError):
    """Signal that the provider wants a pause; ``is_own``: it counts the requests of this account alone."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
        is_own: bool = False,
    ) -> None:
        super().__init__(message, status=status, retry_after=retry_after)
        self.is_own = is_own

    @property
    def is_refusal(self) -> bool:
        """Return True: it refuses before it does anything."""
        return True


class ServerFailed(TemporaryError):
    """Signal that the provider failed; ``did_nothing``: it said so by other means than the status."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
        did_nothing: bool = False,
    ) -> None:
        super().__init__(message, status=status, retry_after=retry_after)
        self._did_nothing = did_nothing

    @property
    def is_refusal(self) -> bool:
        """Return whether nothing was done, as 503 and 425 say (RFC 9110, 15.6.4; RFC 8470, 5.2)."""
        return self._did_nothing or self.status in {425, 503}


class BadAnswer(TemporaryError):
    """An answer that breaks the promise of the documents."""


class SentTooLate(TemporaryError):
    """Signal that the poll gate's margin had passed before the bytes left, so none did."""


class PermanentError(ProviderError):
    """Signal that repeating the same call changes nothing."""


class CredentialRefused(PermanentError):
    """Signal that the provider rejects the credential itself."""


class CredentialExpired(CredentialRefused):
    """Signal that the credential has expired: ``Renewal.refresh`` may bring a new one."""


class AccountRenamed(CredentialRefused):
    """Signal that the credential is good, but its account has another name by now: the message."""


class Forbidden(PermanentError):
    """Signal that the credential is valid but lacks the permission."""


class NotFound(PermanentError):
    """Signal that the provider knows no such resource."""


class Conflict(PermanentError):
    """Signal that the resource's current state doesn't allow it."""


class InvalidRequest(PermanentError):
    """Signal that the provider rejected the request as wrong."""


class LimitReached(PermanentError):
    """Signal that a quota or a number of servers is used up."""


class NoCapacity(LimitReached):
    """Signal that others have all the machines, places or licences that there are."""


class Misconfigured(PermanentError):
    """A setup of the server, or of the account there, that rules the call out: nobody can ask better."""


class Untrusted(PermanentError):
    """Signal that an answer must not be acted on: it leads elsewhere, or opens somebody else's account."""


class OutcomeNotReported(PermanentError):
    """Signal that the provider has no way to tell what became of a call whose answer was lost."""
