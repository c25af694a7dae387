"""Errors of calls to a provider, each with the answer of a step."""

from bot.reconciler.provider_calls import Later, Refused, Unknown
from bot.support import errors

#: Error → answer, whether the connection is held to fail, whether the credential is seen to.
TABLE: dict[type[BaseException], tuple[type, bool, bool]] = {
    errors.ProviderError: (Refused, False, False),
    errors.TemporaryError: (Later, True, False),
    errors.Unreachable: (Later, True, False),
    errors.UnknownOutcome: (Unknown, True, False),
    errors.RateLimited: (Later, False, False),
    errors.ServerFailed: (Unknown, True, False),
    errors.BadAnswer: (Unknown, True, False),
    errors.SentTooLate: (Later, False, False),
    errors.PermanentError: (Refused, False, False),
    errors.CredentialRefused: (Later, False, True),
    errors.CredentialExpired: (Later, False, True),
    errors.Renamed: (Later, False, True),
    errors.Forbidden: (Refused, False, False),
    errors.NotFound: (Refused, False, False),
    errors.Conflict: (Refused, False, False),
    errors.InvalidRequest: (Refused, False, False),
    errors.LimitReached: (Refused, False, False),
    errors.NoRoom: (Refused, False, False),
    errors.Misconfigured: (Refused, False, False),
    errors.Untrusted: (Refused, False, False),
    errors.Untold: (Refused, False, False),
    TimeoutError: (Unknown, True, False),
}
