"""The exceptions that callers tell apart: refusals, and errors of the store, of Slack and of providers.

A provider's TemporaryError may be tried again, a PermanentError may not. Separate from this is
``bot.support.settings.SettingsError``: all problems of the settings, found before start-up.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

#: Matches messages that are only a code, used when the provider sent no text.
_CODE_PATTERN: Final = re.compile(r"(HTTP|error) \S+")
#: How our own message begins when something between us and the server refused the request.
IN_FRONT: Final = "Something in front of the server"
_STATUS_PHRASES: Final = frozenset(status.phrase.casefold() for status in HTTPStatus)


class UsherError(Exception):
    """Base class of all exceptions that Usher raises deliberately."""


class NotDone(UsherError):
    """Base class of errors that say in one sentence why a command wasn't carried out, with a next step."""


class Refused(UsherError):
    """End a user's request with a message that says what is wrong and what to do next.

    ``rule`` names the rule for the audit (``policy.guest``, ``workspace.unknown`` …). Unless a ``text`` is
    given, the sentence is built from the ``cause`` (by default the rule), the connection's ``title`` and
    other ``words`` (``bot.messages.texts.refusals``).
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
        #: If the policy refused, what the audit records: the verb, its target, and the policy's rule.
        self.denied: tuple[str, str, str] | None = None


class NotLinked(Refused):
    """Signal that a user's account on a connection can't be used: not linked, or no longer accepted."""

    def __init__(self, connection: str, cause: str, title: str, *, is_refused: bool = False) -> None:
        super().__init__("account.refused" if is_refused else "account.none", cause=cause, title=title)
        self.connection = connection
        self.is_refused = is_refused


class NotIdentified(Refused):
    """Signal that Slack hasn't yet confirmed who a person is, so their request has to wait."""


class StoreError(UsherError):
    """Base class of the store's errors."""


class StoreBusy(StoreError):
    """Signal that a transaction didn't commit in time and was rolled back."""


class StoreUnsure(StoreError):
    """Signal that a commit is taking longer than its caller waits; it may still succeed."""


class StoreUnavailable(StoreError):
    """Signal that the database can't be used at all; the message tells operators why."""


class StoreNotMigrated(StoreUnavailable):
    """Signal that the database lacks a table."""


class StoreAway(StoreUnavailable):
    """Signal that the database server isn't responding at the moment, but may soon do so."""


class StoreRefused(StoreAway):
    """Signal that the database server responds but refuses all logins; the message has its reason."""


class StoreInUse(StoreError):
    """Signal that another process is serving from this database; the message says what to do."""


class StoreOutdated(StoreError):
    """Signal that this database isn't in use, as it is a copy or was copied; the message says which."""


class TooLate(StoreError):
    """Signal that a request is too old for a call to be sent for it."""


class Outdated(StoreError):
    """Signal that the rows behind a decision have changed, so it must be made again before any call."""


class StoreTooNew(StoreError):
    """Signal that the database was migrated by a newer release."""


class StoreMigrated(StoreError):
    """Signal that a newer release has migrated the database that this process serves from."""


class StoreTooOld(StoreError):
    """Signal that the database is from a release too old for this one to upgrade."""


class StoreUnreleased(StoreError):
    """Signal that the database predates the first release; the message says what to do."""


class PictureError(UsherError):
    """Signal that a picture couldn't be drawn."""


class SecretError(UsherError):
    """Signal that a secret couldn't be opened: the keys are wrong, or its row was swapped."""


class SlackFailed(UsherError):
    """Signal that a call to Slack failed; ``code`` is Slack's error code."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code


class SlackLimited(SlackFailed):
    """Signal that Slack asks for a pause of ``retry_after`` seconds."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, "ratelimited")
        self.retry_after = retry_after


class SlackUnknownOutcome(SlackFailed):
    """Signal that a request was sent to Slack but no answer was received."""


class SlackPermanent(SlackFailed):
    """Signal that Slack would refuse the request however often it is sent."""


class SlackRefusedHere(SlackFailed):
    """Signal that Slack refuses the app for one conversation, person or method only.

    Nothing is sent there for ``retry_after`` seconds.
    """

    def __init__(self, method: str, code: str, retry_after: float) -> None:
        super().__init__(method, code)
        self.retry_after = retry_after


class ProviderError(UsherError):
    """Signal that a call to a provider failed; ``message`` is short, unescaped, and free of secrets.

    The message is the provider's own if the error has an answer's HTTP ``status``, and ours otherwise. In
    errors whose message users see (Forbidden, Conflict, InvalidRequest, LimitReached), it is a sentence with
    the next step.
    """

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        #: The response that caused the error (``bot.support.responses``), or None. It is dropped once the
        #: error leaves its provider.
        self.response: Any = None

    @property
    def is_ours(self) -> bool:
        """Return whether the message is our own sentence, as it is for redirects and proxies' pages."""
        return self.status is None or 300 <= self.status < 400 or self.message.startswith(IN_FRONT)

    @property
    def is_quoted(self) -> bool:
        """Return whether the message is the provider's own text rather than only a code."""
        said = self.message.strip(" .")
        is_code = not said or _CODE_PATTERN.fullmatch(said) or said.casefold() in _STATUS_PHRASES
        return not self.is_ours and not is_code


class TemporaryError(ProviderError):
    """Signal that the same call may work later; ``retry_after`` is in seconds, if the provider gave it."""

    def __init__(
        self, message: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after

    @property
    def is_refusal(self) -> bool:
        """Return whether the provider refused because it was too busy, and did nothing."""
        return False


class Unreachable(TemporaryError):
    """Signal that no connection could be made; nothing was sent."""


class UntrustedCertificate(Unreachable):
    """Signal that the server's certificate isn't trusted, so nothing was sent."""


class UnknownOutcome(TemporaryError):
    """Signal that the request was sent, but no usable answer was received."""


class RateLimited(TemporaryError):
    """Signal that the provider asks for a pause; ``is_own``: the limit applies to this account alone."""

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
        """Return True: a provider that limits the rate refuses a request before acting on it."""
        return True


class ServerFailed(TemporaryError):
    """Signal that the provider failed; ``did_nothing``: the answer itself says that nothing was done."""

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
        """Return whether nothing was done, which 503 and 425 imply (RFC 9110, 15.6.4; RFC 8470, 5.2)."""
        return self._did_nothing or self.status in {425, 503}


class BadAnswer(TemporaryError):
    """Signal that an answer doesn't match the provider's documentation."""


class SentTooLate(TemporaryError):
    """Signal that the poll gate's margin passed before the request was sent, so nothing was sent."""


class PermanentError(ProviderError):
    """Signal that repeating the same call won't help."""


class CredentialRefused(PermanentError):
    """Signal that the provider rejected the credential itself."""


class CredentialExpired(CredentialRefused):
    """Signal that the credential has expired; ``Renewal.refresh`` may obtain a new one."""


class AccountRenamed(CredentialRefused):
    """Signal that the credential is valid but its account was renamed; the message is the new name."""


class Forbidden(PermanentError):
    """Signal that the credential is valid but lacks a permission."""


class NotFound(PermanentError):
    """Signal that the provider doesn't know the resource."""


class Conflict(PermanentError):
    """Signal that the resource's current state doesn't allow the call."""


class InvalidRequest(PermanentError):
    """Signal that the provider rejected the request as invalid."""


class LimitReached(PermanentError):
    """Signal that a quota, or the allowed number of servers, is used up."""


class NoCapacity(LimitReached):
    """Signal that all machines, places or licences are taken by other people."""


class Misconfigured(PermanentError):
    """Signal that the server, or the account there, is configured so that a call can't work."""


class Untrusted(PermanentError):
    """Signal that an answer must not be acted on: it leads elsewhere, or to someone else's account."""


class OutcomeNotReported(PermanentError):
    """Signal that the provider can't tell what became of a call whose answer was lost."""
