"""The setting of planned stops."""

from bot.support.settings.core import CoreSettings
from bot.support.settings.field import setting


class TimerSettings(CoreSettings):
    """Add when people are warned of an end."""

    warn_minutes: float = setting(
        "USHER_WARN_MINUTES",
        5.0,
        "how long before a workspace ends by itself its owner is warned",
        gt=0,
        le=24 * 60,
    )
