"""The texts about the private address of a calendar with somebody's lessons, and in that calendar."""

from typing import Final

#: Beside one course, and beside one of several.
CALENDAR_TITLE: Final = "Calendar"
OF: Final = "{course} calendar"
#: In a form, with the address, which is shown once.
NEW_ADDRESS: Final = (
    "To see the lessons of *{course}* in your calendar, subscribe there to this address:\n```{url}```\n"
    "Anyone who has it can see your lessons, so keep it to yourself. I can't show it again: press "
    "*Calendar* for a new one, or to end it. Calendars refresh every few hours, so a change shows up "
    "there later than here."
)
THERE: Final = (
    "You have a calendar address for *{course}*. I can't show it again, but I can replace it with a new one."
)
NEW_BUTTON: Final = "New address"
END_BUTTON: Final = "End it"
ADDRESS_ENDED: Final = "Your calendar address for *{course}* doesn't work any more."
NO_PUBLIC_URL: Final = (
    "Calendars can't reach me, because I don't have a public web address yet. "
    "Ask your Usher admin to give me one."
)
#: Below each lesson in the calendar.
LESSON_NOTE: Final = (
    "A lesson on {title}, for which Usher gets your workspace ready. Calendars refresh every few "
    "hours, so a change shows up here later than in Slack."
)
