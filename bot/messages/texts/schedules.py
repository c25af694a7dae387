"""What is said of jobs that run by themselves, at set times."""

from __future__ import annotations

from typing import Final

LIST: Final = "*Your jobs*"
ROW: Final = "*{name}* · {title}\n{cron}"
#: A job's schedule, or that it has none.
RUNS: Final = "runs on the schedule `{cron}`"
NONE: Final = "has no schedule"
UNTOLD: Final = "its schedule isn't shown there"
ONE: Final = "*{name}* on {title} {cron}."
#: The same for one job, by its name.
NEXT_OF_ONE: Final = (
    'Type `{command}schedule {name} "0 3 * * *"` to set one, or `{command}schedule {name} off` '
    "to turn it off."
)
NEXT: Final = (
    'Type `{command}schedule NAME "0 3 * * *"` to set one, or `{command}schedule NAME off` to turn it off.'
)

SETTING: Final = "Setting the schedule of *{name}* on {title}. I'll message you when it's done."
CLEARING: Final = "Turning off the schedule of *{name}* on {title}. I'll message you when it's done."
SET: Final = "*{name}* on {title} will run on the schedule `{cron}`, by {title}'s clock."
CLEARED: Final = "*{name}* on {title} no longer runs on a schedule."
NOT_SET: Final = "I couldn't change the schedule of *{name}* on {title}. {because}"

NOWHERE: Final = "I can't schedule jobs on any connection here."
NO_JOBS: Final = "You don't have any jobs there yet. Set one up on the provider's page, then come back."
UNKNOWN: Final = "I can't find a job called *{name}*. Type `{command}schedule` to see yours."
TWICE: Final = "More than one job is called *{name}*. Use its link or id instead of its name."
NEVER: Final = (
    "`{cron}` would never run: none of its months has that day. Change the day (the third field) or the "
    "month (the fourth)."
)
CRON: Final = (
    'I can\'t read `{cron}` as a schedule. Type five fields, such as `"0 3 * * *"` for 3 a.m.: '
    "minute, hour, day, month, day of the week."
)
