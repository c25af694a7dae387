"""Losses: what is told where a failover has lost rows, or an older backup stands in their place."""

from bot.domain.message_kinds import AnyKind, Traits


class LossKind(AnyKind):
    """Name what is told about losses."""

    #: What the database lost of what somebody was answered, and how things are.
    LOST = Traits("lost", offers="workspace")
    #: A link which its person ended may be back.
    RESTORED = Traits("restored")
