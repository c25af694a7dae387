"""What forms say beside the fields, which their providers name."""

from __future__ import annotations

from typing import Final

TITLE: Final = {"workspace": "New workspace", "job": "Run a job"}
SUBMIT: Final = {"workspace": "Create", "job": "Run"}
CLOSE: Final = "Cancel"
AT: Final = "At *{title}*, with your own account *{username}*."
AT_NAMELESS: Final = "At *{title}*, with your own account."
AT_NOBODYS: Final = "At *{title}*. What you make there is shown to you alone."
LOADING: Final = "I am asking {title} what it offers. This takes a few seconds."
LOADING_ANSWER: Final = "I am asking {title} what it offers. Press *Open the form* in a few seconds."
READY: Final = "The form for {title} is ready: press *Open the form*."
NO_OFFER_ANSWER: Final = "{title} has not told me what it offers. Try again in a minute."
OPEN_FORM: Final = "Open the form"
NOTHING_TO_CHOOSE: Final = "{title} offers nothing here to your account. Ask who runs it."
PICK: Final = "Choose one"
PICK_SEVERAL: Final = "Choose what you need"
FIND: Final = "Type to find one"

WHERE: Final = {
    "workspace": "Where shall I create it?",
    "job": "Where shall I run it?",
}
NOWHERE: Final = {
    "workspace": "No connection here lets me create workspaces. Write `{command}list` to see what you have.",
    "job": "No connection here lets me run jobs. Ask who set Usher up to add one.",
}
NOT_THERE: Final = {
    "workspace": "I can't create workspaces at {title}. Write `{command}new` to see where I can.",
    "job": "I can't run jobs at {title}. Write `{command}run` to see where I can.",
}

#: Below a field, where the provider says nothing better.
NOT_OFFERED: Final = "That is not offered any more: choose again."
TOO_LONG: Final = "At most {limit} characters."
OUTDATED: Final = "This form is older than I am now: close it and open a new one."
NOT_LINKED: Final = "Your account at {title} is not linked any more: close this and write `{command}link`."
