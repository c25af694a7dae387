"""Help for each verb, and the texts of forms beside the fields, which their providers name.

Help is made from the verbs, and a test demands an entry per verb.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class VerbWords:
    """A verb's usage, its one-line summary, and further sentences."""

    usage: str
    summary: str
    more: tuple[str, ...] = ()
    #: For what goes on by itself later; nobody need know the word.
    is_hidden: bool = False
    #: Where help lists it, by the keys of ``GROUPS``.
    group: str = ""
    #: What a person must be able to do here for help to list it: a facet or a way of stopping of a connection
    #: that they have linked, ``linking``, ``linked``, ``administrator``, ``about``.
    needs: frozenset[str] = frozenset()

    def is_for(self, able: Collection[str]) -> bool:
        """Return whether help lists it for somebody who is able to do this."""
        return not self.is_hidden and self.needs.issubset(able)


#: The groups of a command's help, in their order, with their titles.
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
#: The four lines of help that come first.
FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    "workspace": ("list", "start", "stop", "open"),
    "job": ("run", "list", "logs", "stop"),
}


#: By command, in the order in which help shows them. ``usage`` is written after the command's name.
VERBS: Final[Mapping[str, Mapping[str, VerbWords]]] = {
    "workspace": {
        "list": VerbWords(
            "list",
            "show your workspaces",
            (
                "This is also what you get without a verb. `list all` shows all of them, page by page.",
                "`list running`, `list CONNECTION` and `list NAME` show only some of them.",
            ),
        ),
        "start": VerbWords(
            "start NAME",
            "start a workspace and get its link in a direct message",
            (
                "If you have only one workspace, `start` is enough.",
                "`start NAME for 2h` or `start NAME until 18:00` stops it again then.",
                "The beginning of a name is enough if only one fits.",
                "If two have the same name, type `start NAME@CONNECTION`.",
            ),
        ),
        "stop": VerbWords(
            "stop NAME",
            "stop a workspace, or cancel a start that's under way",
            (
                "Unsaved work may be lost.",
                "`stop NAME at 6pm` or `stop NAME in 2 hours` stops it later.",
                "If it doesn't stop, its message offers *Force quit*, where the provider supports that.",
                "If that would end it for good, I'll ask first.",
            ),
        ),
        "queue": VerbWords(
            "queue NAME [until TIME]",
            "start a workspace, and wait for room if there is none",
            (
                "`start NAME and wait` does the same.",
                "Unless you name a time, I'll keep trying until 9:00 or 18:00, whichever comes next.",
                "`unqueue NAME` ends the wait.",
            ),
        ),
        "unqueue": VerbWords("unqueue [NAME]", "stop waiting for room"),
        "waiting": VerbWords(
            "waiting",
            "show who is waiting for room, and your place in line",
            ("It shows how many people are waiting for what, and names nobody.",),
        ),
        "keep": VerbWords(
            "keep NAME [until TIME]",
            "keep a workspace running past its planned stop",
            ("`keep NAME until 20:00` stops it then; `keep NAME 1h longer` moves a planned stop.",),
        ),
        "hours": VerbWords(
            "hours [NAME [DAYS TIMES | skip DAY | pause | on | off]]",
            "start and stop a workspace automatically, at the times when you work",
            (
                "`hours NAME weekdays 9:00-18:00` starts it at 9:00 and stops it at 18:00.",
                "`hours NAME mon,wed 8:30` only starts it.",
                "With `--wait`, a start waits for room until the hours end.",
                "`hours NAME every day -20:00` only stops it.",
                "You can change or cancel a stop in the message that comes ten minutes before it.",
                "`hours NAME skip tomorrow` and `hours NAME pause until monday` leave days out.",
                "`hours NAME on` brings them back.",
                "`hours NAME off` turns its hours off; `hours` shows all of yours.",
            ),
        ),
        "cancel": VerbWords(
            "cancel NAME",
            "cancel a start or a run that's under way",
            ("What is already running keeps running: stop it with `stop NAME`.",),
        ),
        "suspend": VerbWords(
            "suspend NAME",
            "pause a workspace so that you can pick up where you left off",
            ("Not every provider supports this.",),
            needs=frozenset({"suspend"}),
        ),
        "resume": VerbWords(
            "resume NAME",
            "pick up a suspended workspace where you left off",
            needs=frozenset({"suspend"}),
        ),
        "new": VerbWords(
            "new [CONNECTION] [TEMPLATE]",
            "create a workspace with a form",
            ("The form shows what's available to you, filled in with your last choices.",),
            needs=frozenset({"creation"}),
        ),
        "card": VerbWords(
            "card CONNECTION/TEMPLATE|NAME",
            "post a button that gives everyone in the channel their own workspace",
            (
                "Without words it opens a form: for a class, or for a course with its days and times.",
                "In a course, workspaces are ready when a lesson begins.",
                "`card TITLE skip 24 Dec` leaves a lesson out; `card TITLE end` ends the course.",
                "*Show problems* on the card tells you who is waiting. *Stop all* ends the class there.",
            ),
            group="class",
        ),
        "courses": VerbWords(
            "courses [TITLE]", "show your courses, or one, and when the next lesson is", group="class"
        ),
        "press": VerbWords("press CARD", "press a class card again once it can continue", is_hidden=True),
        "restart": VerbWords(
            "restart NAME",
            "stop a workspace and start it again",
            (
                "If its memory can be kept, it's suspended and resumed.",
                "If it can't be started again, a new one takes its place.",
                "If that would end it for good, I'll ask first.",
            ),
        ),
        "status": VerbWords(
            "status NAME",
            "show what a workspace is doing",
            ("The answer says when I last checked. I check again in the background.",),
        ),
        "eta": VerbWords("eta [NAME]", "say when a start or a run is likely to be done"),
        "open": VerbWords(
            "open NAME",
            "get the button that opens a running workspace",
            ("Only you see it, and it only works with your own account.",),
        ),
        "add": VerbWords(
            "add LINK|ID [NAME]",
            "add a workspace by its link or id, if it isn't listed",
            ("`add NAME` brings back a workspace that you took off your list.",),
            group="list",
        ),
        "alias": VerbWords(
            "alias NAME NEW-NAME",
            "give a workspace a name of your own",
            (
                "Put names with spaces in quotes.",
                "`alias NAME --clear` goes back to its original name.",
            ),
            group="list",
        ),
        "notify": VerbWords(
            "notify NAME on|off|usual",
            "choose whether I message you when a workspace is ready or stops by itself",
            (
                "Add `--ready` or `--stopped` to change only one of the two.",
                "`usual` goes back to your general `settings`.",
            ),
            group="list",
        ),
        "settings": VerbWords(
            "settings",
            "choose what I message you about and your defaults",
            ("For one workspace, type `notify NAME on` or `notify NAME off`.",),
            group="accounts",
        ),
        "forget": VerbWords(
            "forget NAME",
            "take a workspace off your list, without deleting it",
            group="list",
        ),
        "remove": VerbWords(
            "remove NAME",
            "permanently delete a workspace and everything stored only in it",
            ("I'll ask you to type its name first. `forget NAME` only takes it off your list.",),
            needs=frozenset({"removal"}),
        ),
        "link": VerbWords(
            "link [CONNECTION]",
            "link your own account",
            ("`link code` lets you enter the code that the link page shows you.",),
            group="accounts",
            needs=frozenset({"linking"}),
        ),
        "unlink": VerbWords(
            "unlink CONNECTION",
            "delete my access to your account; `unlink all` removes every link",
            ("Usher admins can unlink somebody else with `unlink CONNECTION @PERSON`.",),
            group="accounts",
            needs=frozenset({"linked"}),
        ),
        "whoami": VerbWords(
            "whoami",
            "show who you are here and which accounts you've linked",
            group="accounts",
        ),
        "about": VerbWords(
            "about CONNECTION",
            "show a connection's server and its users",
            ("`about CONNECTION 2` shows the second page of its users.",),
            group="administrators",
            needs=frozenset({"administrator", "about"}),
        ),
        "version": VerbWords("version", "show which version of Usher this is", group="accounts"),
        "help": VerbWords(
            "help [VERB]",
            "show this list, or more about one verb",
            ("`help all` lists everything that you can do here.",),
            group="accounts",
        ),
    },
    "job": {
        "list": VerbWords(
            "list",
            "show your runs, newest first",
            (
                "This is also what you get without a verb. `list 2` shows the second page.",
                "`list failed`, `list CONNECTION` and `list NAME` show only some of them.",
                "It also shows runs that you started elsewhere, once I've checked for them.",
            ),
        ),
        "run": VerbWords(
            "run [CONNECTION] [TEMPLATE]",
            "run a job with a form, or in one line",
            (
                "In one line: `run --cluster Slurm --cpus 2 --name nightly -- Rscript train.R`.",
                "A job that is set up, or that you ran before, runs by its name: `run nightly`.",
                "Flags have the same names as the form's fields; repeat `--env A=B` as needed.",
                "Everything after `--` is the command, exactly as you type it.",
            ),
        ),
        "status": VerbWords(
            "status NAME",
            "show how a run is doing",
            (
                "If several runs share a name, you get the newest. Use a run's id for an older one.",
                "The beginning of a name is enough if only one fits.",
            ),
        ),
        "result": VerbWords(
            "result [NAME]",
            "show how a run ended, with its exit code and its output",
            ("Without a name, that's your newest run that failed.",),
        ),
        "eta": VerbWords("eta [NAME]", "say when a run is likely to be done"),
        "logs": VerbWords(
            "logs NAME",
            "show a run's output, and send all of it as a file",
            ("While it runs, its card shows the last lines. When it ends, you get the full output.",),
        ),
        "stop": VerbWords(
            "stop NAME",
            "stop a run, or cancel it before it starts",
            ("If it doesn't stop, its message offers *Force quit*, where the provider supports that.",),
        ),
        "schedule": VerbWords(
            'schedule [NAME [DAYS TIME | "0 3 * * *" | off]]',
            "show or set when jobs run automatically",
            (
                "The five fields are minute, hour, day, month and weekday, by the provider's clock.",
                "A job's link or id works in place of its name.",
            ),
            needs=frozenset({"schedules"}),
        ),
        "help": VerbWords(
            "help [VERB]",
            "show this list, or more about one verb",
            ("`help all` lists everything that you can do with jobs here.",),
        ),
    },
}


TITLE: Final = {"workspace": "New workspace", "job": "Run a job"}
SUBMIT: Final = {"workspace": "Create", "job": "Run"}
CLOSE: Final = "Cancel"
AT: Final = "On *{title}*, with your own account *{username}*."
AT_NAMELESS: Final = "On *{title}*, with your own account."
AT_NOBODYS: Final = "On *{title}*. Only you can see what you create there."
LOADING: Final = "Checking what {title} offers. This takes a few seconds."
LOADING_ANSWER: Final = "Checking what {title} offers. Press *Open the form* in a few seconds."
READY: Final = "The form for {title} is ready. Press *Open the form*."
NO_OFFER_ANSWER: Final = "{title} hasn't told me what it offers. Try again in a minute."
OPEN_FORM: Final = "Open the form"
NOTHING_TO_CHOOSE: Final = "Your account on {title} has nothing to choose from here. Ask your {title} admin."
PICK: Final = "Choose one"
PICK_SEVERAL: Final = "Choose what you need"
FIND: Final = "Type to find one"

WHERE: Final = {
    "workspace": "Where should I create it?",
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
NOT_LINKED: Final = "Your {title} account is no longer linked. Close this and type `{command}link`."

#: Shortcuts.
ANSWER_TITLE: Final = "Usher"
DONE: Final = "Close"
START_TITLE: Final = "Start a workspace"
START_LABEL: Final = "Workspace"
START_SUBMIT: Final = "Start"
START_NOTE: Final = "I'll message you when it's ready."
FROM_MESSAGE: Final = (
    "The command is from a message by {who}. Read it before you press *Run*: it runs with your account."
)
NO_CODE: Final = (
    "I can't find a command in that message. Put it in a code block, between three backticks, and try again."
)
CODE_LABEL: Final = "Command"
CODE_SUBMIT: Final = "Continue"
CODE_TOO_LONG: Final = (
    "That command has {length} characters, and a job on {title} takes {limit} at most. "
    "Save it as a script there and run the script."
)
CODE_INVISIBLE: Final = (
    "That command has characters in it that can't be seen, so you couldn't check what would run. "
    "Type it again in a new message."
)
CODE_NO_PLACE: Final = (
    "The form for {title} has no field for that command. Type `{command}run` to see what it offers."
)
CODE_NOWHERE: Final = "No connection here runs commands. Ask your Usher admin to add one."
CODE_NOT_LINKED: Final = "You haven't linked {titles} yet. Link it, then choose *Run as a job* again."
CODE_LATER: Final = "{title} hasn't told me what it offers. Try *Run as a job* again in a minute."
