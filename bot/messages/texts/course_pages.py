"""The texts of a course's page, for its teachers and members, and of the forms that change it."""

from typing import Final

NO_COURSES: Final = (
    "No courses yet. To join one, press *Join* on its card in its channel. "
    "To teach one, press the button, or type `{command}card CONNECTION/TEMPLATE` in its channel."
)

NEXT_LESSON: Final = "Next lesson: {at}"
LESSON_ON: Final = "A lesson is on until {until}"
NO_MORE: Final = "No more lessons"
NOBODY_JOINED: Final = "Nobody has joined yet"
JOINED_COUNT: Final = "{joined} joined"
LINKED_COUNT: Final = "{linked} linked an account"
READY_COUNT: Final = "{ready} ready"
THEIRS: Final = "*{name}* is {who}'s course. {then}. To join, press *Join* on its card in its channel."
#: For a person who has joined it.
YOURS: Final = "I'll start your workspace *{name}* on {title} for it."
YOURS_RUNS: Final = "Your workspace *{name}* on {title} is running."
PENDING: Final = "You've pressed *Join*, but {why}"
#: Problems with a field.
WRONG: Final = {
    "hours": "Choose the days, and when lessons begin and end on them.",
    **dict.fromkeys(("from", "until"), "A course ends after its first day, and within a year from today."),
    "today": "This is for a single class. Leave it empty for a course.",
    "max": "Enter a whole number from 1 to 5,000.",
}

POST: Final = "Post a class card"
POST_IT: Final = "Post"
#: Fields of all forms, with hints. A card's fields have the names of its flags, if it has such a flag.
FIELDS: Final = {
    "what": ("What everyone gets", ""),
    "title": ("Title", ""),
    "channel": ("Channel", ""),
    "today": ("Stop the workspaces at", "Everyone is warned first."),
    "hours": ("Lessons on", "Workspaces are ready when each lesson begins."),
    "begin": ("Lessons begin at", ""),
    "end": ("Lessons end at", ""),
    "from": ("First day", ""),
    "until": ("Last day", ""),
    "with": ("Co-teachers", ""),
    "max": ("Places", ""),
}
#: Where nothing is known that a teacher could choose.
WHAT_HINT: Final = "A template, such as saturn/course, or everyone's own workspace: notebook"
#: The buttons that turn to the other page: of several lessons, and of a single class.
TO_COURSE: Final = "Several lessons…"
TO_CLASS: Final = "Only one class…"
