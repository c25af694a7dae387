"""Errors of calls to a provider, and the result that a step gets for each."""

from bot.reconciler.call_results import OutcomeUnknown, Rejected, RetryLater
from bot.support import errors

#: Error → result, whether it counts as a failure of the connection, and whether the credential is checked.
TABLE: dict[type[BaseException], tuple[type, bool, bool]] = {
    errors.ProviderError: (Rejected, False, False),
    errors.TemporaryError: (RetryLater, True, False),
    errors.Unreachable: (RetryLater, True, False),
    errors.UntrustedCertificate: (RetryLater, True, False),
    errors.UnknownOutcome: (OutcomeUnknown, True, False),
    errors.RateLimited: (RetryLater, False, False),
    errors.ServerFailed: (OutcomeUnknown, True, False),
    errors.BadAnswer: (OutcomeUnknown, True, False),
    errors.SentTooLate: (RetryLater, False, False),
    errors.PermanentError: (Rejected, False, False),
    errors.CredentialRefused: (RetryLater, False, True),
    errors.CredentialExpired: (RetryLater, False, True),
    errors.AccountRenamed: (RetryLater, False, True),
    errors.Forbidden: (Rejected, False, False),
    errors.RefusedInFront: (Rejected, False, False),
    errors.NotFound: (Rejected, False, False),
    errors.Conflict: (Rejected, False, False),
    errors.InvalidRequest: (Rejected, False, False),
    errors.LimitReached: (Rejected, False, False),
    errors.NoCapacity: (Rejected, False, False),
    errors.Misconfigured: (Rejected, False, False),
    errors.Untrusted: (Rejected, False, False),
    errors.OutcomeNotReported: (Rejected, False, False),
    TimeoutError: (OutcomeUnknown, True, False),
}
