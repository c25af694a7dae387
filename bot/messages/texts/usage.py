"""Messages about usage: what ran, for how long, and what it cost."""

from typing import Final

DAYS: Final = "{first} – {last}"
TOTAL: Final = "*{hours}* in all · {money}"
AND_MORE: Final = "{count} more: {hours}"
RUNNING: Final = "{line} · still running"
#: Text for a total if only some of the hours have a price.
PART_PRICED: Final = "{money} and {hours} without a price"
#: Sentences about the workspace that ran unused the longest. ``UNUSED`` is for providers that report when a
#: workspace was last used, ``UNOPENED`` for all others.
UNOPENED: Final = (
    "*{name}* ran longest without being opened from Usher: {hours}, until {until}.",
    "*{name}* has been running for {hours} without being opened from Usher.",
)
UNUSED: Final = (
    "*{name}* ran longest without being used: {hours}, until {until}.",
    "*{name}* has been running for {hours} without being used.",
)
LEFT_NAMED: Final = "Left on {title} ({name}): {left}{of} {unit}."
OF_GROUP: Final = "{people}: *{hours}* in all · {money}"
ON_CONNECTION: Final = "{title}, {people}: {hours} · {money}"
TOO_FEW: Final = "Fewer than {least} people had something running, so I don't show their hours."
NO_NAMES_OF_CLASS: Final = (
    "I don't show people's own hours, as the card didn't say that its teachers can see them."
)
NO_NAMES_OF_TEAM: Final = "I don't show people's own hours. Your operator can change that."
PICTURE_COMES: Final = "I'm sending it as a picture, too, in our direct messages."
WHY_SPREAD: Final = "*Give or take*: it was started or stopped outside Usher, between two of my checks."
WHY_UNKNOWN: Final = "*Unknown*: nobody saw when it stopped, so I don't count the time after that."
PARTLY_OLD: Final = "I only keep what ran for {days} days, so anything that ended before {day} isn't in it."
NOTHING: Final = "Nothing of yours ran."
NOTHING_NEXT: Final = (
    "To look further back, type `{command}usage last month` or `{command}usage since 3 Nov`."
)
WINDOW_CLOCK: Final = (
    "I add up whole days, so I can't read the time of day in `{given}`. Type `{command}usage yesterday`, "
    "`{command}usage since Monday` or `{command}usage 2026-11-03`."
)
NO_MONDAYS: Final = "Stop sending it"
STILL_RUNNING: Final = "*{name}* on {title} is still running."
WEEKLY_ON: Final = "Every Monday at 9:00 AM I'll send you last week's hours. I won't if nothing ran."
