"""The settings of planned stops."""

from bot.support.settings.field import setting
from bot.support.settings.mission import MissionSettings


class TimerSettings(MissionSettings):
    """Add when people are warned of an end, and how long a stop waits for that."""

    warn_minutes: float = setting(
        "USHER_WARN_MINUTES",
        5.0,
        "how long before a workspace ends by itself its owner is warned",
        gt=0,
        le=24 * 60,
    )
    # What Slack doesn't take within a day is given up (``bot.slack.notifier.timing.Timing``).
    unwarned_hours: float = setting(
        "USHER_UNWARNED_HOURS",
        12.0,
        "hours that a planned stop waits for its warning if Slack takes no message, 24 at most",
        gt=0,
        le=24,
    )
