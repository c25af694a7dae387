"""Answer what isn't done: small talk, what is forbidden or somebody else's, a typo."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from bot.domain.notices import Answer, Spoken
from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.messages.blocks import lists, replies
from bot.messages.blocks.commands import doing
from bot.messages.blocks.kit import AGREED, Markup, fill, line
from bot.messages.texts import answers, talk
from bot.messages.texts.facts import FACTS
from bot.messages.texts.verbs import VERBS
from bot.services import naming
from handlers.command_line import Quoted, plain, written
from handlers.language.which import Which
from handlers.language.words import near_verbs
from handlers.request import Request

#: What only a program writes into a command: flags, and dates in numbers.
_UNREAD: Final = re.compile(r" --\w|\d{4}-\d\d-\d\d")
#: This many words aren't a command with a typo.
_WORDS_OF_A_SENTENCE: Final = 3


class Heard(NamedTuple):
    """Hold what was last spoken of, with those of its workspaces and runs that are still there."""

    about: Spoken
    workspaces: list[Workspace]
    #: In the order of the last list.
    listed: list[Workspace]
    runs: list[Run]

    def pointed(self, which: Which, rows: Sequence[Workspace]) -> list[Workspace]:
        """Return what *it*, *the other one* and *the second one* are, counted from the end if negative."""
        if which.place:
            at = which.place - 1 if which.place > 0 else len(self.listed) + which.place
            return self.listed[at : at + 1] if at >= 0 else []
        found = self.workspaces
        if which.points == "other" and len(found) == 1:
            found = [one for one in self.listed or rows if one.id != found[0].id]
        return [one for one in found if which.connections in {(), (one.connection,)}]


async def heard(request: Request, rows: Sequence[Workspace] | None = None) -> Heard:
    """Return what was last spoken of where the person writes."""
    about, store = await request.heard(), request.services.store
    rows = await store.workspaces(request.principal) if rows is None else rows
    by_id = {one.id: one for one in rows}
    named, listed = (
        [by_id[key] for key in keys if key in by_id] for keys in (about.workspaces, about.listed)
    )
    runs = await store.runs(request.principal) if about.runs else ()
    return Heard(about, named, listed, [run for run in runs if run.id in about.runs])


def small_talk(request: Request, topic: str) -> Answer:
    """Answer a greeting, thanks, or what needs nothing done; the commands in it are those of workspaces."""
    return _said(request, talk.TALK[topic])


def fact_of(request: Request, topic: str) -> str:
    """Return the answer to such a question, with commands as they are typed here; "" for no such question."""
    if topic not in FACTS:
        return ""
    return fill(FACTS[topic].says, command=request.command_of("workspace"), job=request.command_of("job"))


def _said(request: Request, template: str, titles: Sequence[str] = ()) -> Answer:
    """Answer with a sentence about some names, with commands for workspaces."""
    command = request.command_of("workspace")
    return replies.hint(fill(template, names=bold(titles), command=command))


def bold(names: Iterable[str]) -> Markup:
    """Return names as part of a sentence."""
    return Markup(", ".join(fill("*{name}*", name=name) for name in names))


def typed_name(name: str) -> Markup:
    """Return a name as people type it in a command: in quotes if it has spaces."""
    return Markup(line(written((name,))))


def not_asked(request: Request, titles: Sequence[str]) -> Answer:
    """Say that there is no open question, and what was last spoken of."""
    return _said(request, talk.NOT_ASKED if titles else talk.TALK["yes"], titles[: replies.FEW])


def takes_press(request: Request, titles: Sequence[str]) -> Answer:
    """Say that a word isn't enough for what ends for good, costs money, approves or unlinks."""
    return _said(request, talk.TAKES_PRESS, titles)


def not_counted(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Say that the last list has no such place, or that there was none."""
    titles = [one.title for one in rows[: replies.FEW]]
    return _said(request, talk.NOT_COUNTED if titles else talk.NO_LIST, titles)


def nothing_to_undo(request: Request, workspace: Workspace) -> Answer:
    """Say that nothing about a workspace is still open."""
    return replies.hint(lists.in_its_state(request.services.clock.now(), workspace, talk.NOTHING_TO_CANCEL))


def theirs(request: Request, named: Sequence[Workspace]) -> Answer:
    """Refuse to work on somebody else's workspace; say how one's own of that name is written."""
    if not named:
        return replies.hint(talk.THEIRS, more=request.filled(answers.UNKNOWN_VERB_HELP))
    verb = request.verb if request.verb != "help" and request.verb in VERBS["workspace"] else "status"
    typed, name = typed_name(named[0].title), named[0].title
    more = request.filled(talk.IF_YOURS, name=name, verb=Markup(verb), typed=typed)
    return replies.hint(talk.THEIRS, more=more)


def not_understood(request: Request) -> Answer:
    """Say so, and offer what a link on its own leads to, or the verbs that are like the first word."""
    first, *rest = request.arguments or ("",)
    if not rest and "://" in first and naming.references(first, request.services.connections):
        return as_command(request.about("workspace", "add", request.arguments))
    if isinstance(first, Quoted):
        # No name is like this, so the quotes may enclose a whole command.
        first, *rest = (*first.split(), *rest)
    word = plain(first) or first
    commands = [_text(request, verb, *rest) for verb in near(request, word)]
    is_sentence = len(request.arguments) >= _WORDS_OF_A_SENTENCE and not commands
    return _unknown(request, talk.NOT_UNDERSTOOD if is_sentence else answers.UNKNOWN_VERB, word, commands)


def help_on_unknown(request: Request, word: str) -> Answer:
    """Say that there is no such verb to explain, and offer help on the nearest ones."""
    commands = [_text(request, "help", verb) for verb in near(request, plain(word))]
    return _unknown(request, answers.UNKNOWN_VERB, word, commands)


def _unknown(request: Request, sentence: str, word: str, commands: Sequence[str]) -> Answer:
    more = [fill(talk.DID_YOU_MEAN, commands=shown(request, commands))] if commands else []
    more.append(request.filled(answers.UNKNOWN_VERB_HELP))
    return replies.hint(fill(sentence, word=word), lists.command_buttons(commands), more="\n".join(more))


def as_command(request: Request) -> Answer:
    """Offer what was said in other words as a command, which one press runs."""
    return offered(request, [_text(request, request.verb, *request.arguments)], talk.AS_COMMAND)


def offered(request: Request, commands: Sequence[str], sentence: str = talk.DID_YOU_MEAN) -> Answer:
    """Offer commands that are known to work, as they are typed in a direct message."""
    sentence = fill(sentence, commands=shown(request, commands))
    return replies.hint(sentence, lists.command_buttons(commands))


def _text(request: Request, *typed: str) -> str:
    """Return a command of the request's folder as it is typed in a direct message."""
    flags = [f"--{flag}" for flag in sorted(request.flags - {AGREED})]
    return f"{'' if request.folder == 'workspace' else f'{request.folder} '}{written([*typed, *flags])}"


def shown(request: Request, commands: Sequence[str]) -> Markup:
    """Return commands as the person would type them here; in words what nobody would type by hand."""
    return Markup(talk.OR.join(_shown(request, one) for one in commands))


def _shown(request: Request, command: str) -> str:
    if _UNREAD.search(command):
        return fill(talk.IN_WORDS, doing=doing(command))
    folder = "job" if command.startswith("job ") else "workspace"
    return f"`{request.command_of(folder)}{line(command.removeprefix('job '), 300)}`"


def near(request: Request, word: str) -> list[str]:
    """Return the verbs that a mistyped word may mean, the nearest first."""
    verbs = [verb for verb, entry in VERBS[request.folder].items() if not entry.is_hidden]
    return near_verbs(word, request.folder, verbs)
