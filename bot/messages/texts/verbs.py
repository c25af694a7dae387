"""Headings in help, and text around form fields. The fields' labels come from the providers."""

from collections.abc import Mapping
from typing import Final

#: The groups of verbs in each command's help, in order, with their titles.
GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "workspace": {
        "": "Your workspaces",
        "list": "Your list",
        "class": "With others",
        "accounts": "You and your accounts",
        "administrators": "For Usher admins",
    },
    "job": {"": "Your job runs"},
}
#: The verbs that help lists first, if the person can use them.
FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    "workspace": ("list", "start", "stop", "open", "new"),
    "job": ("run", "list", "logs", "stop"),
}


TITLE: Final = {"workspace": "New workspace", "job": "Run a job"}
SUBMIT: Final = {"workspace": "Create", "job": "Run"}
AT: Final = "On *{title}*, with your own account *{username}*."
AT_NOBODYS: Final = "On *{title}*. Only you can see what you create there."
LOADING: Final = "Checking what {title} offers. This takes a few seconds."
LOADING_ANSWER: Final = "Checking what {title} offers. Press *Open the form* in a few seconds."
READY: Final = "The form for {title} is ready. Press *Open the form*."
OPEN_FORM: Final = "Open the form"
NOTHING_TO_CHOOSE: Final = "Your account on {title} has nothing to choose from here. Ask your {title} admin."
PICK: Final = "Choose one"

WHERE: Final = {
    "workspace": "Where should I create the workspace?",
    "job": "Where should I run it?",
}
NOWHERE: Final = {
    "workspace": (
        "I can't create workspaces on any connection here. Type `{command}list` to see what you have."
    ),
    "job": "I can't run jobs on any connection here. Ask your Usher admin to add one.",
}
NOT_THERE: Final = {
    "workspace": "I can't create workspaces on {title}. Type `{command}new` to see where I can.",
    "job": "I can't run jobs on {title}. Type `{command}run` to see where I can.",
}

OUTDATED: Final = "This form is out of date. Close it and open a new one."

#: Titles of views that Slack's shortcuts open.
ANSWER_TITLE: Final = "Usher"
START_TITLE: Final = "Start a workspace"
