"""What each verb is for: help is made from this catalogue, and a test demands an entry per verb."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class VerbWords:
    """Hold a verb's way of writing, one line on what it does, and sentences that say more."""

    usage: str
    summary: str
    more: tuple[str, ...] = ()
    #: For what goes on by itself later; nobody need know the word.
    is_hidden: bool = False


#: By command, in the order in which help shows them. ``usage`` is written after the command's name.
VERBS: Final[Mapping[str, Mapping[str, VerbWords]]] = MappingProxyType(
    {
        "workspace": MappingProxyType(
            {
                "list": VerbWords(
                    "list",
                    "show your workspaces",
                    ("Without any verb you get the same.", "`list 2` shows the second page."),
                ),
                "start": VerbWords(
                    "start NAME",
                    "start a workspace; its address comes by direct message",
                    (
                        "With only one workspace, `start` is enough.",
                        "The beginning of a name is enough where it fits one only.",
                        "`start NAME@CONNECTION` tells two of the same name apart.",
                    ),
                ),
                "stop": VerbWords(
                    "stop NAME",
                    "stop a workspace, or call off a start that is under way",
                    (
                        "Unsaved work in it may be lost.",
                        "`stop NAME --force` does not ask the workspace first, where that can be done.",
                        "If that would end it for good, I'll ask first. Add `--yes` to skip the question.",
                    ),
                ),
                "suspend": VerbWords(
                    "suspend NAME",
                    "stop a workspace so that it can go on where it was",
                    ("Not every provider can do that.",),
                ),
                "resume": VerbWords("resume NAME", "let a suspended workspace go on where it was"),
                "new": VerbWords(
                    "new [CONNECTION] [PRESET]",
                    "create a workspace; a form asks for what it is to be",
                    ("The form offers what your account may have there, filled with what you chose last.",),
                ),
                "card": VerbWords(
                    "card CONNECTION/RECIPE|NAME",
                    "post a button with which everybody in the channel gets their own workspace",
                    (
                        "`--title TEXT` names the class, `--max 60` limits its places.",
                        "`--until 17:00` stops at that time what was started; owners are told before.",
                        "*Stop all* on the card ends the class; *Show problems* shows who waits, and why.",
                    ),
                ),
                "press": VerbWords(
                    "press CARD", "press a class card once more, after what it waited for", is_hidden=True
                ),
                "restart": VerbWords(
                    "restart NAME",
                    "stop a workspace and start it again",
                    (
                        "Where its memory can be kept, it's suspended and resumed.",
                        "Where it can't be started again, a new one takes its place.",
                        "If that would end it for good, I'll ask first. Add `--yes` to skip the question.",
                    ),
                ),
                "status": VerbWords(
                    "status NAME",
                    "say what a workspace is doing",
                    ("The answer says how old it is; I look again in the background.",),
                ),
                "open": VerbWords(
                    "open NAME",
                    "show the button that opens a running workspace",
                    ("Only you see it, and it opens only with your own account.",),
                ),
                "add": VerbWords(
                    "add LINK|ID [NAME]",
                    "add a workspace by its link or id, where there is no list",
                    ("`add NAME` brings back one that you took off your list.",),
                ),
                "alias": VerbWords(
                    "alias NAME NEW-NAME",
                    "call a workspace what you like",
                    (
                        "Put names with spaces in quotes.",
                        "`alias NAME --clear` takes your name for it away again.",
                    ),
                ),
                "notify": VerbWords(
                    "notify NAME on|off",
                    "tell you when a workspace stops without your having asked for it",
                    ("It is off until you switch it on, and each workspace has its own switch.",),
                ),
                "forget": VerbWords(
                    "forget NAME",
                    "take a workspace off your list; it stays as it is at the provider",
                ),
                "remove": VerbWords(
                    "remove NAME",
                    "delete a workspace for good, with all that is only in it",
                    ("I ask you to type its name first. `forget NAME` only takes it off your list.",),
                ),
                "link": VerbWords(
                    "link [CONNECTION]",
                    "link your own account at a provider",
                    ("`link code` asks for the code that the link page shows you.",),
                ),
                "unlink": VerbWords(
                    "unlink CONNECTION",
                    "delete my access to your account; `unlink all` ends every link",
                    ("An administrator ends somebody else's with `unlink CONNECTION @PERSON`.",),
                ),
                "whoami": VerbWords("whoami", "show who I take you for, and what you have linked"),
                "about": VerbWords(
                    "about CONNECTION",
                    "say what a connection's server is and who is on it, for administrators",
                    ("`about CONNECTION 2` shows the second page of its people.",),
                ),
                "help": VerbWords("help [VERB]", "show this, or more on one verb"),
            }
        ),
        "job": MappingProxyType(
            {
                "list": VerbWords(
                    "list",
                    "show your runs, the newest first",
                    (
                        "Without any verb you get the same; `list 2` shows the second page.",
                        "Runs that you launched elsewhere are there too, once I have looked for them.",
                    ),
                ),
                "run": VerbWords(
                    "run [CONNECTION] [PRESET]",
                    "run a job; a form asks for what it is to be",
                    (
                        "In one line: `run --cluster Slurm --cpus 2 --name nightly -- Rscript train.R`.",
                        "Where jobs are set up at the provider, the name is enough: `run saturn nightly`.",
                        "Flags are called as the fields of the form; `--env A=B` may stand there often.",
                        "What stands after `--` is the command, just as you write it.",
                    ),
                ),
                "status": VerbWords(
                    "status NAME",
                    "say how far a run is",
                    (
                        "Of several runs of one name, the newest is meant; a run's id tells them apart.",
                        "The beginning of a name is enough where it fits one only.",
                    ),
                ),
                "logs": VerbWords(
                    "logs NAME",
                    "show what a run writes, below its card in your direct messages",
                    ("When it has ended, the whole comes as a file.",),
                ),
                "stop": VerbWords(
                    "stop NAME",
                    "end a run, or call it off before it is launched",
                    ("`stop NAME --force` does not ask the run first.",),
                ),
                "schedule": VerbWords(
                    'schedule [NAME ["0 3 * * *" | off]]',
                    "show when jobs run by themselves, or set it",
                    (
                        "The five fields are minute, hour, day, month and day of the week, by its own clock.",
                        "Where jobs have a link or an id, that does in place of the name.",
                    ),
                ),
                "help": VerbWords("help [VERB]", "show this, or more on one verb"),
            }
        ),
    }
)
