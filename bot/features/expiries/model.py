"""Expiries: what is told before a link or a workspace ends by itself."""

from bot.domain.message_kinds import AnyKind, Mark, Traits


class ExpiryKind(AnyKind):
    """Name what is told about ends to come."""

    ENDING = Traits("ending", urgency=3, offers="workspace", marks=Mark.PASSES)
    #: The credential of a link ends soon.
    LINK_ENDING = Traits("link_ending", urgency=3, offers="link", marks=Mark.PASSES)
