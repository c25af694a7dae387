"""The whole exception tree.

::

    UsherError
    ├── Refused                       a person's request ends here, with words for them
    │   ├── NotLinked                 their account can't be used: they are offered a link
    │   └── NotKnown                  Slack has not said yet who they are: the request waits
    ├── StoreError
    │   ├── StoreBusy                 not committed within 2 s; nothing was done
    │   ├── StoreUnavailable          disk full, read-only, locked, gone
    │   ├── StoreTooNew               the database is newer than the code
    │   └── StoreUnreleased           the database was made before the first release
    ├── SecretError                   a stored secret could not be opened
    ├── SlackFailed                   Slack refused or did not answer
    │   ├── SlackLimited              429, with the seconds to wait
    │   ├── SlackUnknownOutcome       the request left, no answer came
    │   └── SlackPermanent            no such user, token revoked, …
    └── ProviderError
        ├── TemporaryError            try again later
        │   ├── Unreachable           nothing was sent
        │   ├── UnknownOutcome        it was sent, no answer came: read before retrying
        │   ├── RateLimited           429, with the seconds to wait where told
        │   ├── ServerFailed          5xx
        │   ├── BadAnswer             HTML, null, wrong types, too large, too deep
        │   └── SentTooLate           the poll gate dropped the request; nothing was sent
        └── PermanentError            trying again changes nothing
            ├── CredentialRefused     link again
            │   └── CredentialExpired refresh once where the provider can, otherwise link again
            ├── Forbidden             the credential is good, the right is missing
            ├── NotFound              no such resource (a read answers ``gone`` instead)
            ├── Conflict              not possible in the present state
            ├── InvalidRequest        the provider names what is wrong
            ├── Untrusted             the answer leads elsewhere, or to somebody else's account
            ├── Untold                nothing there tells what became of a call
            └── LimitReached          quota, licence or number of servers

Beside it stands ``bot.support.settings.SettingsError``: all problems of the settings, before anything runs.
"""

from __future__ import annotations


class UsherError(Exception):
    """Stand at the root of everything that Usher raises on purpose."""


class Refused(UsherError):
    """End a person's request with words for them: what is wrong and the next step.

    ``rule`` names the rule for the audit (``policy.guest``, ``workspace.unknown`` …).
    """

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.text = text


class NotLinked(Refused):
    """Say that a person's account at a connection can't be used: not linked, or no longer accepted there."""

    def __init__(self, connection: str, text: str, *, is_refused: bool = False) -> None:
        super().__init__("account.refused" if is_refused else "account.none", text)
        self.connection = connection
        self.is_refused = is_refused


class NotIdentified(Refused):
    """Say that Slack has not told yet who somebody is: what they asked for has to wait."""


class StoreError(UsherError):
    """Say that the store did not do what it was asked."""


class StoreBusy(StoreError):
    """Say that a transaction did not commit in time and was rolled back."""


class StoreUnavailable(StoreError):
    """Say that the database can't be used at all; the message names the cause for operators."""


class StoreInUse(StoreError):
    """Say that another process serves from this database; the message says what to do."""


class StoreTooNew(StoreError):
    """Say that the database was migrated by a newer release."""


class StoreUnreleased(StoreError):
    """Say that the database was made by a version before the first release; the message says what to do."""


class SecretError(UsherError):
    """Say that a secret could not be opened: wrong keys, or a row that was swapped."""


class SlackFailed(UsherError):
    """Say that a Slack method failed; ``code`` is Slack's own word for it."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code


class SlackLimited(SlackFailed):
    """Say that Slack wants a pause of ``retry_after`` seconds."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, "ratelimited")
        self.retry_after = retry_after


class SlackUnknownOutcome(SlackFailed):
    """Say that a request left for Slack and no answer came."""


class SlackPermanent(SlackFailed):
    """Say that sending this again will never work."""


class ProviderError(UsherError):
    """Say that a provider's call failed; ``message`` is its own word, short, unescaped, without secrets."""

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class TemporaryError(ProviderError):
    """Say that the same call may work later; ``retry_after`` is in seconds where the provider told it."""

    def __init__(
        self, message: str = "", *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class Unreachable(TemporaryError):
    """Say that no connection was had; nothing was sent."""


class UnknownOutcome(TemporaryError):
    """Say that the request was sent and no usable answer came."""


class RateLimited(TemporaryError):
    """Say that the provider wants a pause."""


class ServerFailed(TemporaryError):
    """Say that the provider answered 5xx."""


class BadAnswer(TemporaryError):
    """Say that the answer was not what the documents promise."""


class SentTooLate(TemporaryError):
    """Say that the poll gate's margin had passed before the bytes went, so none went."""


class PermanentError(ProviderError):
    """Say that trying the same again changes nothing."""


class CredentialRefused(PermanentError):
    """Say that the provider refuses the credential itself."""


class CredentialExpired(CredentialRefused):
    """Say that the credential was good until it expired: ``Provider.refresh`` may bring a fresh one."""


class Forbidden(PermanentError):
    """Say that the credential is good but lacks the right."""


class NotFound(PermanentError):
    """Say that the provider knows no such resource."""


class Conflict(PermanentError):
    """Say that the resource's present state does not allow it."""


class InvalidRequest(PermanentError):
    """Say that the provider found the request wrong."""


class LimitReached(PermanentError):
    """Say that a quota, a licence or a number of servers is used up."""


class Untrusted(PermanentError):
    """Say that an answer must not be acted on: it leads elsewhere, or opens somebody else's account."""


class Untold(PermanentError):
    """Say that the provider has no way to tell what became of a call whose answer was lost."""
