"""Answer what isn't done: small talk, what is forbidden or somebody else's, a typo."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.features.sentences import faq
from bot.features.sentences.faq import FACTS
from bot.features.sentences.selection import Which
from bot.messages.blocks import replies
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import answers, talk, times
from bot.messages.texts.verbs import VERBS
from bot.services import naming
from bot.store import cards, workspaces
from bot.store import runs as run_rows
from handlers import intents, suggestions, vocabulary
from handlers.command_line import Quoted, fold_word
from handlers.request import Request

#: This many words aren't a command with a typo.
_WORDS_OF_A_SENTENCE: Final = 3


class Heard(NamedTuple):
    """Hold what was last spoken of, with those of its workspaces and runs that are still there."""

    about: Referents
    workspaces: list[Workspace]
    #: In the order of the last list.
    listed: list[Workspace]
    runs: list[Run]

    def pointed(self, which: Which, rows: Sequence[Workspace]) -> list[Workspace]:
        """Return what *it*, *the other one* and *the second one* are, counted from the end if negative.

        *Both* and *them* are none of it where only one was spoken of.
        """
        if which.place:
            at = which.place - 1 if which.place > 0 else len(self.listed) + which.place
            return self.listed[at : at + 1] if at >= 0 else []
        found = self.workspaces if which.points != "them" or len(self.workspaces) > 1 else []
        if which.points == "other" and len(found) == 1:
            found = [one for one in self.listed or rows if one.id != found[0].id]
        return [one for one in found if which.connections in {(), (one.connection,)}]


async def heard(request: Request, rows: Sequence[Workspace] | None = None) -> Heard:
    """Return what was last spoken of where the person writes."""
    about, store = await request.read_referents(), request.services.store
    rows = await store.perform(workspaces.read_workspaces, request.principal) if rows is None else rows
    by_id = {one.id: one for one in rows}
    named, listed = (
        [by_id[key] for key in keys if key in by_id] for keys in (about.workspaces, about.listed)
    )
    runs = await store.read(run_rows.list_runs, request.principal) if about.runs else ()
    return Heard(about, named, listed, [run for run in runs if run.id in about.runs])


def fact_of(request: Request, topic: str) -> str:
    """Return the answer to such a question, with commands as they are typed here; "" for no such question."""
    topic = "fact-class" if topic in vocabulary.COURSE_WORDS else topic
    name = topic.removeprefix("fact-")
    if name == topic or name not in FACTS:
        return ""
    return fill(
        FACTS[name].says,
        idle=Markup(_describe_idle(request)),
        command=request.format_command("workspace"),
        job=request.format_command("job"),
    )


def _describe_idle(request: Request) -> str:
    """Say the fate of workspaces that were left running, as the person's connections are set up."""
    stops = [
        one.settings.title
        for one in request.services.connections.values()
        if one.settings.stops_unanswered
        and one.settings.asks_after_hours != 0
        and one.is_available_to(request.principal)
    ]
    return fill(faq.IDLE_STOPS, titles=times.listed(stops)) if stops else faq.IDLE


async def answer_no(request: Request, or_else: Callable[[], Awaitable[Answer]] | None = None) -> Answer:
    """Answer an open question with no; otherwise take the last act back, or do something else without one."""
    about = await request.read_referents()
    if about.ask or about.takes_press:
        await request.services.store.write(cards.queue_messages, about.question, changed=True)
        # A later *yes* is no answer to it.
        request.notes.about = replace(about, ask="", takes_press=False)
        return replies.hint(talk.WONT_DO)
    answer, _ = await intents.undo_action(request, or_else=or_else)
    return answer


def not_asked(request: Request, titles: Sequence[str]) -> Answer:
    """Say that there is no open question, and what was last spoken of."""
    return suggestions.answer_about_names(
        request, talk.NOT_ASKED if titles else talk.TALK["yes"], titles[: replies.MAX_CHOICES]
    )


def takes_press(request: Request, titles: Sequence[str]) -> Answer:
    """Say that a word isn't enough for what ends for good, costs money, approves or unlinks."""
    return suggestions.answer_about_names(request, talk.TAKES_PRESS, titles)


def not_counted(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Say that the last list has no such place, or that there was none."""
    titles = [one.title for one in rows[: replies.MAX_CHOICES]]
    return suggestions.answer_about_names(request, talk.NOT_COUNTED if titles else talk.NO_LIST, titles)


def theirs(request: Request, named: Sequence[Workspace]) -> Answer:
    """Refuse to work on somebody else's workspace; say how one's own of that name is written."""
    if not named:
        return replies.hint(talk.THEIRS, more=request.fill(answers.UNKNOWN_VERB_HELP))
    verb = request.verb if request.verb != "help" and request.verb in VERBS["workspace"] else "status"
    typed, name = suggestions.format_typed_name(named[0].title), named[0].title
    more = request.fill(talk.IF_YOURS, name=name, verb=Markup(verb), typed=typed)
    return replies.hint(talk.THEIRS, more=more)


def not_understood(request: Request) -> Answer:
    """Say so, and offer what a link on its own leads to, or the verbs that are like the first word."""
    first, *rest = request.arguments or ("",)
    if not rest and naming.to_link(first) and naming.find_references(first, request.services.connections):
        return suggestions.offer_as_command(request.redirect("workspace", "add", request.arguments))
    if isinstance(first, Quoted):
        # No name is like this, so the quotes may enclose a whole command.
        first, *rest = (*first.split(), *rest)
    word = fold_word(first) or first
    commands = [
        suggestions.write_command(request, verb, *rest) for verb in suggestions.suggest_verbs(request, word)
    ]
    is_sentence = len(request.arguments) >= _WORDS_OF_A_SENTENCE and not commands
    return suggestions.answer_unknown_word(
        request, talk.NOT_UNDERSTOOD if is_sentence else answers.UNKNOWN_VERB, word, commands
    )
