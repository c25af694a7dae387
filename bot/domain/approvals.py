"""Approvals: what is told of a request to be linked as a username, to whom it concerns."""

from bot.domain.kinds import AnyKind, Mark, Traits


class ApprovalKind(AnyKind):
    """Name what is told about requests."""

    APPROVAL_ASKED = Traits("approval_asked", offers="reader", marks=Mark.PEOPLE | Mark.ASKS)
    #: Whether the account that somebody else asked for is this person's.
    ACCOUNT_ASKED = Traits("account_asked", offers="reader", marks=Mark.PEOPLE | Mark.ASKS)
    APPROVAL_DENIED = Traits("approval_denied", marks=Mark.PEOPLE)
    APPROVAL_FAILED = Traits("approval_failed", marks=Mark.PEOPLE)
    APPROVAL_DONE = Traits("approval_done", marks=Mark.PEOPLE)
