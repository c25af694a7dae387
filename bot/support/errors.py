"""The whole exception tree.

::

    UsherError
    ├── Refused                       ends a person's request, with a text for them
    │   ├── NotLinked                 their account can't be used: they are offered a link
    │   └── NotIdentified             Slack hasn't said yet who they are: the request waits
    ├── StoreError
    │   ├── StoreBusy                 not committed within 2 s; nothing was done
    │   ├── StoreUnsure               the commit takes more than 2 s; whether it succeeds shows later
    │   ├── StoreUnavailable          disk full, read-only, locked, gone
    │   ├── StoreTooNew               the database is newer than the code
    │   ├── StoreMigrated             it was migrated while this process served from it
    │   └── StoreUnreleased           the database was made before the first release
    ├── PictureError                  a picture couldn't be drawn
    ├── SecretError                   a stored secret could not be opened
    ├── SlackFailed                   Slack refused or did not answer
    │   ├── SlackLimited              429, with the seconds to wait
    │   ├── SlackUnknownOutcome       the request was sent, no answer came
    │   └── SlackPermanent            no such user, token revoked, …
    └── ProviderError
        ├── TemporaryError            try again later
        │   ├── Unreachable           nothing was sent
        │   │   └── UntrustedCertificate  the server's certificate isn't trusted
        │   ├── UnknownOutcome        it was sent, no answer came: read before retrying
        │   ├── RateLimited           429, with the seconds to wait if given
        │   ├── ServerFailed          5xx
        │   ├── BadAnswer             HTML, null, wrong types, too large, too deep
        │   └── SentTooLate           the poll gate dropped the request; nothing was sent
        └── PermanentError            trying again changes nothing
            ├── CredentialRefused     link again
            │   ├── CredentialExpired refresh once if the provider can, otherwise link again
            │   └── AccountRenamed    valid, but its account has another name now: link again
            ├── Forbidden             the credential is valid, the right is missing
            ├── NotFound              no such resource (a read answers ``gone`` instead)
            ├── Conflict              not possible in the present state
            ├── InvalidRequest        the provider names what is wrong
            ├── Misconfigured         the set-up of the server or the account makes it impossible
            ├── Untrusted             the answer leads elsewhere, or to somebody else's account
            ├── OutcomeNotReported    the provider can't tell what became of a call
            └── LimitReached          the person's own quota or number of servers is used up
                └── NoCapacity        all capacity is in use, and may be free later

Separate from this is ``bot.support.settings.SettingsError``: all problems of the settings, before start-up.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

#: Messages that are only a code, because the provider sent no words.
_CODE_PATTERN: Final = re.compile(r"(HTTP|error) \S+")
#: Beginning of our own sentence about a refusal by something between us and the server.
IN_FRONT: Final = "Something in front of the server"
_STATUS_PHRASES: Final = frozenset(status.phrase.casefold() for status in HTTPStatus)


class UsherError(Exception):
    """Root of everything that Usher raises on purpose."""


class NotDone(UsherError):
    """The base of errors that say in one sentence why a command wasn't done, with a next step."""


class Refused(UsherError):
    """End a person's request: they read what is wrong and the next step.

    ``rule`` names the rule for the audit (``policy.guest``, ``workspace.unknown`` …). The sentence is made
    from the ``cause`` (by default the rule), the connection's ``title`` and other ``words``
    (``bot.messages.texts.refusals``), unless a ``text`` is given.
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
        #: For the audit, if the policy refused: the verb, its target, and the policy's rule.
        self.denied: tuple[str, str, str] | None = None


class NotLinked(Refused):
    """Signal that a person's account on a connection can't be used: not linked, or no longer accepted."""

    def __init__(self, connection: str, cause: str, title: str, *, is_refused: bool = False) -> None:
        super().__init__("account.refused" if is_refused else "account.none", cause=cause, title=title)
        self.connection = connection
        self.is_refused = is_refused


class NotIdentified(Refused):
    """Signal that Slack hasn't confirmed yet who a person is, so that their request has to wait."""


class StoreError(UsherError):
    """The base of the store's errors."""


class StoreBusy(StoreError):
    """Signal that a transaction didn't commit in time and was rolled back."""


class StoreUnsure(StoreError):
    """Signal that a commit takes longer than its caller waits; it may still succeed."""


class StoreUnavailable(StoreError):
    """Signal that the database can't be used at all; the message tells operators why."""


class StoreNotMigrated(StoreUnavailable):
    """Signal that a table is missing."""


class StoreAway(StoreUnavailable):
    """Signal that the database's server doesn't answer now, but may do so soon."""


class StoreRefused(StoreAway):
    """Signal that the database's server answers, and lets nobody in; the message has its reason."""


class StoreInUse(StoreError):
    """Signal that another process serves from this database; the message says what to do."""


class StoreOutdated(StoreError):
    """Signal that this database isn't the one in use but a copy, or one that was copied; the message says."""


class TooLate(StoreError):
    """Signal that a request is overdue, so that no call may be sent for it."""


class Outdated(StoreError):
    """Signal that the rows behind a decision have changed since: decide again before calling."""


class StoreTooNew(StoreError):
    """Signal that the database was migrated by a newer release."""


class StoreMigrated(StoreError):
    """Signal that a newer release has migrated the database from which this process serves."""


class StoreTooOld(StoreError):
    """Signal that the database is from a release so old that this one can't upgrade it."""


class StoreUnreleased(StoreError):
    """Signal that the database predates the first release; the message says what to do."""


class PictureError(UsherError):
    """Signal that a picture couldn't be drawn."""


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
    """Signal that Slack refuses the app one conversation, person or method, but no others.

    Nothing is sent there for ``retry_after`` seconds.
    """

    def __init__(self, method: str, code: str, retry_after: float) -> None:
        super().__init__(method, code)
        self.retry_after = retry_after


class ProviderError(UsherError):
    """Signal that a call to a provider failed; ``message`` is short, unescaped, without secrets.

    The message is the provider's own if it came with the HTTP ``status`` of an answer. Otherwise it is ours.
    Of the errors whose message people read (Forbidden, Conflict, InvalidRequest, LimitReached), it is a
    sentence with the next step.
    """

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        #: The refused response (``bot.support.responses``), until the error leaves its provider, or None.
        self.response: Any = None

    @property
    def is_ours(self) -> bool:
        """Return whether the message is our own sentence, as redirects and proxies' pages have no message."""
        return self.status is None or 300 <= self.status < 400 or self.message.startswith(IN_FRONT)

    @property
    def is_quoted(self) -> bool:
        """Return whether the message is the provider's own text, and not only a code."""
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
    """Signal that the provider wants a pause; ``is_own``: the limit is on this account alone."""

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
        """Return True, as a provider refuses before it does anything."""
        return True


class ServerFailed(TemporaryError):
    """Signal that the provider failed; ``did_nothing``: it said, not by the status, that it did nothing."""

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
    """Signal that an answer isn't what the provider's documents promise."""


class SentTooLate(TemporaryError):
    """Signal that the poll gate's margin had passed before the bytes left, so none did."""


class PermanentError(ProviderError):
    """Signal that repeating the same call changes nothing."""


class CredentialRefused(PermanentError):
    """Signal that the provider rejects the credential itself."""


class CredentialExpired(CredentialRefused):
    """Signal that the credential has expired: ``Renewal.refresh`` may bring a new one."""


class AccountRenamed(CredentialRefused):
    """Signal that the credential is valid, but its account has a new name, which is the message."""


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
    """Signal that other people use all machines, places or licences."""


class Misconfigured(PermanentError):
    """Signal that the set-up of the server, or of the account there, makes a call impossible."""


class Untrusted(PermanentError):
    """Signal that an answer must not be acted on: it leads elsewhere, or opens somebody else's account."""


class OutcomeNotReported(PermanentError):
    """Signal that the provider can't tell what became of a call whose answer was lost."""
