"""The exceptions that callers distinguish: refusals, and errors of the store, of Slack and of providers.

After a provider's TemporaryError, the call may be tried again; after a PermanentError, it may not.
``bot.support.settings.SettingsError`` is separate: it holds all problems of the settings, found before
start-up.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

#: Matches messages that are only a code, used when the provider sent no text.
_CODE_PATTERN: Final = re.compile(r"(HTTP|error) \S+")
_STATUS_PHRASES: Final = frozenset(status.phrase.casefold() for status in HTTPStatus)


class UsherError(Exception):
    """Base class of all exceptions that Usher raises deliberately."""


class NotDone(UsherError):
    """Base class of errors that say in one sentence why a command wasn't carried out, and what to do next."""


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
    """Signal that a user's account on a connection can't be used: not linked, or not accepted any more."""

    def __init__(self, connection: str, cause: str, title: str, *, is_refused: bool = False) -> None:
        super().__init__("account.refused" if is_refused else "account.none", cause=cause, title=title)
        self.connection = connection
        self.is_refused = is_refused


class NotIdentified(Refused):
    """Signal that a request has to wait, because Slack hasn't confirmed yet who the person is."""


class StoreError(UsherError):
    """Base class of the store's errors."""


class StoreBusy(StoreError):
    """Signal that a transaction didn't commit in time and was rolled back."""


class StoreUnsure(StoreError):
    """Signal that a commit is taking longer than its caller can wait; it may still succeed."""


class StoreUnavailable(StoreError):
    """Signal that the database can't be used at all; the message tells operators why."""


class StoreNotMigrated(StoreUnavailable):
    """Signal that the database lacks a table."""


class StoreAway(StoreUnavailable):
    """Signal that the database server isn't responding at the moment, but may do so soon."""


class StoreRefused(StoreAway):
    """Signal that the database server responds but refuses all logins; the message gives its reason."""


class StoreInUse(StoreError):
    """Signal that another process is serving from this database; the message says what to do."""


class StoreOutdated(StoreError):
    """Signal that this database mustn't be used: it is a copy, or was copied, as the message says."""


class TooLate(StoreError):
    """Signal that it is too late to send a call for a request."""


class Outdated(StoreError):
    """Signal that the rows behind a decision have changed, so it must be made again before a call is sent."""


class StoreTooNew(StoreError):
    """Signal that the database was migrated by a newer release."""


class StoreMigrated(StoreError):
    """Signal that a newer release has migrated the database that this process serves from."""


class StoreTooOld(StoreError):
    """Signal that the database is from a release that is too old for this one to upgrade it."""


class StoreUnreleased(StoreError):
    """Signal that the database predates the first release; the message says what to do."""


class PictureError(UsherError):
    """Signal that a picture couldn't be drawn."""


class SecretError(UsherError):
    """Signal that a secret couldn't be decrypted: the keys are wrong, or its row was swapped."""


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
    """Signal that Slack refuses the app for only one conversation, person or method.

    Nothing is sent there for ``retry_after`` seconds.
    """

    def __init__(self, method: str, code: str, retry_after: float) -> None:
        super().__init__(method, code)
        self.retry_after = retry_after


class ProviderError(UsherError):
    """Signal that a call to a provider failed; ``message`` is short, unescaped, and free of secrets.

    If the error has the HTTP ``status`` of an answer, the message is the provider's own; otherwise it is
    ours. Users see the messages of Forbidden, Conflict, InvalidRequest and LimitReached, so each of those is
    a sentence with the next step.
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
        """Return whether Usher wrote the message, as it does for redirects."""
        return self.status is None or 300 <= self.status < 400

    @property
    def is_quoted(self) -> bool:
        """Return whether the message is the provider's own text, rather than ours or only a code."""
        said = self.message.strip(" .")
        is_code = not said or _CODE_PATTERN.fullmatch(said) or said.casefold() in _STATUS_PHRASES
        return not self.is_ours and not is_code


class TemporaryError(ProviderError):
    """Signal that the same call may work later, after ``retry_after`` seconds if the provider says so."""

    def __init__(
        self, message: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after

    @property
    def is_refusal(self) -> bool:
        """Return whether the provider was too busy and refused the call without doing anything."""
        return False


class Unreachable(TemporaryError):
    """Signal that no connection could be made, so nothing was sent."""


class UntrustedCertificate(Unreachable):
    """Signal that the server's certificate isn't trusted, so nothing was sent."""


class UnknownOutcome(TemporaryError):
    """Signal that the request was sent, but no usable answer was received."""


class RateLimited(TemporaryError):
    """Signal that the provider asks for a pause; ``is_own`` means that only this account is limited."""

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
    """Signal that the provider failed.

    ``did_nothing`` means that the answer itself says that nothing was done.
    """

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
        """Return whether nothing was done; 503 and 425 imply this (RFC 9110, 15.6.4; RFC 8470, 5.2)."""
        return self._did_nothing or self.status in {425, 503}


class BadAnswer(TemporaryError):
    """Signal that an answer doesn't match the provider's documentation."""


class SentTooLate(TemporaryError):
    """Signal that the time allowed by the poll gate passed before the request could be sent.

    Nothing was sent.
    """


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


class RefusedInFront(PermanentError):
    """Signal that something in front of the provider refused, which says nothing about the account."""

    @property
    def is_ours(self) -> bool:
        """Return True: whatever answered isn't quoted."""
        return True


class NotFound(PermanentError):
    """Signal that the provider doesn't know the resource."""


class Conflict(PermanentError):
    """Signal that the resource's current state doesn't allow the call."""


class InvalidRequest(PermanentError):
    """Signal that the provider rejected the request as invalid."""


class LimitReached(PermanentError):
    """Signal that a quota, or the maximum number of servers, has been reached."""


class NoCapacity(LimitReached):
    """Signal that all machines, places or licences are taken by other people."""


class Misconfigured(PermanentError):
    """Signal that the server, or the user's account on it, is configured so that a call can't work."""


class Untrusted(PermanentError):
    """Signal that an answer can't be trusted: it points to another host, or to someone else's account."""


class OutcomeNotReported(PermanentError):
    """Signal that the provider can't tell what became of a call whose answer was lost."""
