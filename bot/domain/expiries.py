"""Kinds of messages before the expiry of a link or a workspace."""

from bot.domain.message_kinds import AnyKind, Mark, Traits


class ExpiryKind(AnyKind):
    """The kinds of messages about coming expiries."""

    WORKSPACE_EXPIRY = Traits("workspace_expiry", urgency=3, offers="workspace", marks=Mark.PASSES)
    #: Its provider lets a workspace run longer, as its person asked, or refuses that.
    WORKSPACE_EXTENDED = Traits("workspace_extended", offers="workspace")
    #: The credential of a link ends soon.
    LINK_EXPIRY = Traits("link_expiry", urgency=3, offers="link", marks=Mark.PASSES)
