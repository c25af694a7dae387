"""Kinds of messages about links and workspaces that expire soon."""

from bot.domain.message_kinds import AnyKind, Mark, Traits


class ExpiryKind(AnyKind):
    """Kinds of messages about expiries to come."""

    WORKSPACE_EXPIRY = Traits("workspace_expiry", urgency=3, offers="workspace", marks=Mark.PASSES)
    #: The provider lets a workspace run longer, as its person asked, or refuses to.
    WORKSPACE_EXTENDED = Traits("workspace_extended", offers="workspace")
    #: A link's credential ends soon.
    LINK_EXPIRY = Traits("link_expiry", urgency=3, offers="link", marks=Mark.PASSES)
