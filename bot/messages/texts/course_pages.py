"""The texts of a course's page for teachers and members, and of the forms that change the course."""

from typing import Final

NO_COURSES: Final = (
    "No courses yet. To join one, press *Join* on its card in its channel. "
    "To teach one, press the button, or type `{command}card CONNECTION/TEMPLATE` in its channel."
)

JOINED_COUNT: Final = "{joined} joined"
READY_COUNT: Final = "{ready} ready"
THEIRS: Final = "*{name}* is {who}'s course. {then}. To join, press *Join* on its card in its channel."
#: Shown to people who have pressed *Join* but still need an account or a workspace.
PENDING: Final = "You've pressed *Join*, but {why}"
#: Maps each field of a form to the error shown if the field was filled in wrongly.
WRONG: Final = {
    "hours": "Choose the days, and when lessons begin and end on them.",
    **dict.fromkeys(("from", "until"), "A course ends after its first day, and within a year from today."),
    "today": "This is for a single class. Leave it empty for a course.",
    "max": "Enter a whole number from 1 to 5,000.",
}

POST: Final = "Post a class card"
#: Labels and hints for the fields of all the forms. A field of the card form that corresponds to a flag has
#: the flag's name.
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
#: Shown if the teacher has no choices and has to type what everyone will get.
WHAT_HINT: Final = "A template, such as saturn/course, or everyone's own workspace: notebook"
