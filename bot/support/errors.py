"""The exceptions that callers distinguish: refusals, and errors from the store, Slack and providers.

A call that raised a provider's TemporaryError may be tried again. A call that raised a PermanentError may
not. ``bot.support.settings.SettingsError`` is separate: it lists all problems with the settings, which are
found before start-up.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

#: Matches messages that consist only of a code, because the provider sent no text.
_CODE_PATTERN: Final = re.compile(r"(HTTP|error) \S+")
_STATUS_PHRASES: Final = frozenset(status.phrase.casefold() for status in HTTPStatus)


class UsherError(Exception):
    """Base class of all exceptions that Usher raises deliberately."""


class NotDone(UsherError):
    """Base class of errors whose message says why a command wasn't carried out and what to do next."""


class Refused(UsherError):
    """Ends a user's request with a message that says what is wrong and what to do next.

    ``rule`` names the rule in the audit log (``policy.guest``, ``workspace.unknown`` …). If no ``text`` is
    given, the message is built from the ``cause`` (by default the rule), the connection's ``title`` and other
    ``words``, using the templates in ``bot.messages.texts.refusals``.
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
        #: What the audit log records if the policy refused the request: the verb, its target and the policy's
        #: rule. None if the request was refused for another reason.
        self.denied: tuple[str, str, str] | None = None


class NotLinked(Refused):
    """A user's account on a connection can't be used: it isn't linked, or the provider refuses it."""

    def __init__(self, connection: str, cause: str, title: str, *, is_refused: bool = False) -> None:
        super().__init__("account.refused" if is_refused else "account.none", cause=cause, title=title)
        self.connection = connection
        self.is_refused = is_refused


class NotIdentified(Refused):
    """A request has to wait until Slack has confirmed who the person is."""


class StoreError(UsherError):
    """Base class of the store's errors."""


class StoreBusy(StoreError):
    """A transaction didn't commit in time and was rolled back."""


class StoreUnsure(StoreError):
    """A commit is taking longer than its caller can wait. It may still succeed."""


class StoreUnavailable(StoreError):
    """The database can't be used at all. The message tells operators why."""


class StoreNotMigrated(StoreUnavailable):
    """The database lacks a table."""


class StoreAway(StoreUnavailable):
    """The database server can't be reached at the moment, but may be back soon."""


class StoreRefused(StoreAway):
    """The database server responds but refuses the sign-in. The message gives the server's reason."""


class StoreInUse(StoreError):
    """Another process is serving from this database. The message says what to do."""


class StoreOutdated(StoreError):
    """This database must not be used any more, because it is a backup or has been copied elsewhere."""


class TooLate(StoreError):
    """A request's deadline has passed, so its call may no longer be sent."""


class Outdated(StoreError):
    """The rows that led to a decision have changed, so it must be made again before a call is sent."""


class StoreTooNew(StoreError):
    """The database was migrated by a newer release."""


class StoreMigrated(StoreError):
    """A newer release has migrated the database that this process serves from."""


class StoreTooOld(StoreError):
    """The database is from such an old release that this release can't upgrade it."""


class StoreUnreleased(StoreError):
    """The database predates the first release. The message says what to do."""


class PictureError(UsherError):
    """An image couldn't be drawn."""


class SecretError(UsherError):
    """A secret couldn't be decrypted, because the keys are wrong or the secret belongs to another row."""


class SlackFailed(UsherError):
    """A call to Slack failed. ``code`` is Slack's error code."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code


class SlackLimited(SlackFailed):
    """Slack requires a pause of ``retry_after`` seconds, because a rate limit was reached."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, "ratelimited")
        self.retry_after = retry_after


class SlackUnknownOutcome(SlackFailed):
    """A request was sent to Slack but no response was received."""


class SlackPermanent(SlackFailed):
    """Slack refuses the request, and would refuse it again."""


class SlackRefusedHere(SlackFailed):
    """Slack refuses the app's request because of the conversation, person or method.

    For ``retry_after`` seconds, Usher sends nothing more to that conversation or person, or doesn't call that
    method.
    """

    def __init__(self, method: str, code: str, retry_after: float) -> None:
        super().__init__(method, code)
        self.retry_after = retry_after


class ProviderError(UsherError):
    """A call to a provider failed. ``message`` is short, unescaped, and contains no secrets.

    If the error has an HTTP ``status`` that isn't a redirect, the message came from the provider. Otherwise,
    Usher wrote it. Users see the messages of Forbidden, Conflict, InvalidRequest and LimitReached, so when
    Usher writes one of these, it must be a sentence that says what to do next.
    """

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        #: The response that caused the error (``bot.support.responses``), or None. It is removed before the
        #: error reaches code outside the provider.
        self.response: Any = None

    @property
    def is_ours(self) -> bool:
        """Return whether the message was written by Usher rather than the provider."""
        return self.status is None or 300 <= self.status < 400

    @property
    def is_quoted(self) -> bool:
        """Return whether the message is text from the provider, rather than Usher's own or merely a code."""
        said = self.message.strip(" .")
        is_code = not said or _CODE_PATTERN.fullmatch(said) or said.casefold() in _STATUS_PHRASES
        return not self.is_ours and not is_code


class TemporaryError(ProviderError):
    """The same call may work later: after ``retry_after`` seconds, if the provider says so."""

    def __init__(
        self, message: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after
        #: Whether part of the response had arrived before the error occurred.
        self.was_answered = False

    @property
    def is_refusal(self) -> bool:
        """Return whether the provider refused the call because it was busy, without acting on it."""
        return False


class Unreachable(TemporaryError):
    """No connection could be made, so nothing was sent."""


class UntrustedCertificate(Unreachable):
    """The server's certificate isn't trusted, so nothing was sent."""


class UnknownOutcome(TemporaryError):
    """The request was sent, but no usable response was received."""


class RateLimited(TemporaryError):
    """The provider's rate limit was reached. ``is_own`` means that only this account is limited."""

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
        """Return True. A provider that limits the rate refuses a request before acting on it."""
        return True


class ServerFailed(TemporaryError):
    """The provider failed. ``did_nothing`` means that its response said that nothing was done."""

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
        """Return whether the response shows that nothing was done (RFC 9110, 15.6.4, and RFC 8470, 5.2)."""
        return self._did_nothing or self.status in {425, 503}


class BadAnswer(TemporaryError):
    """A response doesn't match the provider's documentation."""


class SentTooLate(TemporaryError):
    """The request couldn't be sent in the time allowed by the poll gate, so nothing was sent."""


class PermanentError(ProviderError):
    """Repeating the same call won't help."""


class CredentialRefused(PermanentError):
    """The provider rejected the credential itself."""


class CredentialExpired(CredentialRefused):
    """The credential has expired. ``Renewal.refresh`` may obtain a new one."""


class AccountRenamed(CredentialRefused):
    """The credential is valid but its account was renamed. The message is the new name."""


class Forbidden(PermanentError):
    """The credential is valid but lacks a permission."""


class RefusedInFront(PermanentError):
    """Something in front of the provider refused the call, so the refusal says nothing about the account."""

    @property
    def is_ours(self) -> bool:
        """Return True, because the message must never be quoted as the provider's."""
        return True


class NotFound(PermanentError):
    """The provider doesn't know the resource."""


class Conflict(PermanentError):
    """The resource's current state doesn't allow the call."""


class InvalidRequest(PermanentError):
    """The provider rejected the request as invalid."""


class LimitReached(PermanentError):
    """A quota, or the maximum number of servers, has been reached."""


class NoCapacity(LimitReached):
    """All machines, slots or licences are in use by other people."""


class Misconfigured(PermanentError):
    """The server, or the user's account on it, is configured so that a call can't work."""


class Untrusted(PermanentError):
    """A response can't be trusted: it points to another host, or to someone else's account."""


class OutcomeNotReported(PermanentError):
    """The provider can't tell whether a call took effect if the response was lost."""
