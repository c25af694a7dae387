"""What is said of jobs that run by themselves, at set times."""

from __future__ import annotations

from typing import Final

LIST: Final = "*Jobs that are set up*"
ROW: Final = "*{name}* · {title}\n{cron}"
#: A job's schedule, or that it has none.
RUNS: Final = "runs at `{cron}`"
NONE: Final = "has no schedule"
UNTOLD: Final = "its schedule is not told there"
ONE: Final = "*{name}* at {title} {cron}."
NEXT: Final = 'Write `{command}schedule NAME "0 3 * * *"` to set one, `{command}schedule NAME off` to end it.'

SETTING: Final = "I set the schedule of *{name}* at {title}, and tell you when that is done."
CLEARING: Final = "I switch the schedule of *{name}* at {title} off, and tell you when that is done."
SET: Final = "*{name}* at {title} runs at `{cron}` from now on, by the clock of {title}."
CLEARED: Final = "*{name}* at {title} does not run by itself any more."
NOT_SET: Final = "The schedule of *{name}* at {title} was not changed. {because}"

NOWHERE: Final = "No connection here lets me set when jobs run."
NO_JOBS: Final = "You have no jobs set up there yet. Set one up on its page there, then come back."
UNKNOWN: Final = (
    "I know no job *{name}* that is set up for you. Write `{command}schedule` to see what there is."
)
TWICE: Final = (
    "More than one job is called *{name}*. Write the link or the id of its page in place of its name."
)
NEVER: Final = (
    "`{cron}` would never run: none of its months has such a day. Change the day (the third field) or the "
    "month (the fourth)."
)
CRON: Final = (
    '`{cron}` is no time that I understand. Write five fields, such as `"0 3 * * *"` for three at night: '
    "minute, hour, day, month, day of the week."
)
