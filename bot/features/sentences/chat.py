"""Answers without an action: small talk, forbidden requests, other people's workspaces, typos."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.features.sentences import faq
from bot.features.sentences.faq import FAQ
from bot.features.sentences.selection import Which
from bot.messages.blocks import replies
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import answers, talk, times
from bot.messages.verb import list_verbs
from bot.services import naming
from bot.store import cards, workspaces
from bot.store import runs as run_rows
from handlers import intents, suggestions, vocabulary
from handlers.command_line import Quoted, fold_word
from handlers.request import Request, format_typed_name

#: This many words aren't a command with a typo.
_MIN_SENTENCE_WORDS: Final = 3


class RecentReferents(NamedTuple):
    """The referents of the conversation, with those workspaces and runs of them that still exist."""

    about: Referents
    workspaces: list[Workspace]
    #: In the order of the last list.
    listed: list[Workspace]
    runs: list[Run]

    def resolve(self, which: Which, rows: Sequence[Workspace]) -> list[Workspace]:
        """Return the workspaces of *it*, *the other one* and *the second one* (from the end if negative).

        *Both* and *them* mean none where there is only one referent.
        """
        if which.place:
            at = which.place - 1 if which.place > 0 else len(self.listed) + which.place
            return self.listed[at : at + 1] if at >= 0 else []
        candidates = self.workspaces if which.points != "them" or len(self.workspaces) > 1 else []
        if which.points == "other" and len(candidates) == 1:
            candidates = [workspace for workspace in self.listed or rows if workspace.id != candidates[0].id]
        return [workspace for workspace in candidates if which.connections in {(), (workspace.connection,)}]


async def read_recent_referents(request: Request, rows: Sequence[Workspace] | None = None) -> RecentReferents:
    """Return the last referents of the conversation in which the person writes."""
    about, store = await request.read_referents(), request.services.store
    rows = await store.perform(workspaces.read_workspaces, request.principal) if rows is None else rows
    by_id = {workspace.id: workspace for workspace in rows}
    recent, listed = (
        [by_id[key] for key in keys if key in by_id] for keys in (about.workspaces, about.listed)
    )
    runs = await store.read(run_rows.list_runs, request.principal) if about.runs else ()
    return RecentReferents(about, recent, listed, [run for run in runs if run.id in about.runs])


def find_faq_answer(request: Request, topic: str) -> str:
    """Return the answer to such a question, with commands as they are typed here; "" for no such question."""
    topic = "fact-class" if topic in vocabulary.COURSE_WORDS else topic
    name = topic.removeprefix("fact-")
    if name == topic or name not in FAQ:
        return ""
    return fill(
        FAQ[name].answer,
        idle=Markup(_describe_idle(request)),
        command=request.format_command("workspace"),
        job=request.format_command("job"),
    )


def _describe_idle(request: Request) -> str:
    """Say the fate of workspaces that were left running, as the person's connections are set up."""
    stops = [
        provider.settings.title
        for provider in request.services.connections.values()
        if provider.settings.stops_unanswered
        and provider.settings.asks_after_hours != 0
        and provider.is_available_to(request.principal)
    ]
    return fill(faq.IDLE_STOPS, titles=times.join_names(stops)) if stops else faq.IDLE


async def decline_or_undo(request: Request, or_else: Callable[[], Awaitable[Answer]] | None = None) -> Answer:
    """Answer an open question with no; otherwise take the last act back, or do something else without one."""
    about = await request.read_referents()
    if about.ask or about.takes_press:
        await request.services.store.write(cards.queue_messages, about.question, changed=True)
        # A later *yes* is no answer to it.
        request.notes.about = replace(about, ask="", takes_press=False)
        return replies.hint(talk.WONT_DO)
    answer, _ = await intents.undo_action(request, or_else=or_else)
    return answer


def answer_unasked_yes(request: Request, titles: Sequence[str]) -> Answer:
    """Answer that there is no open question, and name the last referents."""
    return suggestions.answer_about_names(
        request, talk.NOT_ASKED if titles else talk.TALK["yes"], titles[: replies.MAX_CHOICES]
    )


def answer_needs_click(request: Request, titles: Sequence[str]) -> Answer:
    """Answer that an action that ends for good, costs money, approves or unlinks needs a click."""
    return suggestions.answer_about_names(request, talk.TAKES_PRESS, titles)


def answer_no_such_entry(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Answer that the last list has no such entry, or that there was no list."""
    titles = [workspace.title for workspace in rows[: replies.MAX_CHOICES]]
    return suggestions.answer_about_names(request, talk.NOT_COUNTED if titles else talk.NO_LIST, titles)


def refuse_others_workspace(request: Request, own: Sequence[Workspace]) -> Answer:
    """Refuse an action on somebody else's workspace, with the command for one's own of that name."""
    if not own:
        return replies.hint(talk.THEIRS, more=request.fill(answers.UNKNOWN_VERB_HELP))
    verb = request.verb if request.verb != "help" and request.verb in list_verbs("workspace") else "status"
    typed, name = format_typed_name(own[0].title), own[0].title
    more = request.fill(talk.IF_YOURS, name=name, verb=Markup(verb), typed=typed)
    return replies.hint(talk.THEIRS, more=more)


def answer_not_understood(request: Request) -> Answer:
    """Answer that words aren't understood; offer to add a link, or verbs like the first word."""
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
    is_sentence = len(request.arguments) >= _MIN_SENTENCE_WORDS and not commands
    return suggestions.answer_unknown_word(
        request, talk.NOT_UNDERSTOOD if is_sentence else answers.UNKNOWN_VERB, word, commands
    )
