"""The words of the picture of a week, and of its alternative text."""

from typing import Final

#: The message with the picture.
COMMENT: Final = "Here it is as a picture."
#: The message without it.
IN_WORDS: Final = "I couldn't send this as a picture, so here it is in words. {week}"

#: Above the bars: the days, and the zone in which they are days.
TITLE: Final = "{first} – {last}"
#: After a row's hours if one of its ends isn't known.
AND_UNKNOWN: Final = "{hours} + ?"
NOW: Final = "now, {at}"
#: The legend.
RAN: Final = "ran"
PLANNED: Final = "planned"
UNKNOWN: Final = "end not known"
NIGHT: Final = "night, 20:00–06:00"
#: A day on which the clocks change.
UNUSUAL_DAY: Final = "{day} has {hours} hours."
#: Rows that aren't drawn.
MORE_ROWS: Final = "and {count} more, {hours} together"
NOTHING: Final = "Nothing ran."

#: The alternative text, a sentence for each row.
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
