"""The words in the picture of a week's usage, and in its alternative text."""

from typing import Final

#: The message that accompanies the usage picture.
COMMENT: Final = "Here it is as a picture."
#: Sent instead of the usage picture if the picture couldn't be sent.
IN_WORDS: Final = "I couldn't send this as a picture, so here it is in words. {week}"

#: Shown above the bars of the usage picture: the first and the last day.
TITLE: Final = "{first} – {last}"
#: The hours in a row of the usage picture if nobody knows when one of the row's runs ended.
AND_UNKNOWN: Final = "{hours} + ?"
NOW: Final = "now, {at}"
#: The words in the legend of the usage picture.
RAN: Final = "ran"
PLANNED: Final = "planned"
UNKNOWN: Final = "end not known"
NIGHT: Final = "night, 20:00–06:00"
#: Points out a day in the usage picture that doesn't have 24 hours, because the clocks change on it.
UNUSUAL_DAY: Final = "{day} has {hours} hours."
#: The line that replaces the rows left out of the picture.
MORE_ROWS: Final = "and {count} more, {hours} together"
NOTHING: Final = "Nothing ran."

#: The alternative text of the usage picture, which has one sentence per row.
ALT_TITLE: Final = "{first} – {last}, times of {zone}."
ALT_ROW: Final = "{name}: {hours}."
ALT_ROW_IN_FULL: Final = "{name}: {hours} ({spans})."
ALT_MORE: Final = "And {count} more, {hours} together."
SPAN: Final = "{begin}–{end}"
PLANNED_SPAN: Final = "planned {span}"
UNKNOWN_SPAN: Final = "not known from {begin} on"
BEFORE: Final = "before {day}"
AFTER: Final = "after {day}"
UNTIL_NOW: Final = "now"
