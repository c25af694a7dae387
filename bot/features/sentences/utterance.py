"""One text that nobody reads completely: the objects that it may be about, and what it says about acting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, Literal, NamedTuple

from bot.domain.notices import Answer
from bot.domain.time_parsing import Moment
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import Workspace
from bot.features.sentences import chat, phrasebook, times
from bot.features.sentences.clauses import find_verbs
from bot.features.sentences.faq import FAQ
from bot.features.sentences.objections import SPARING, Bars, find_bars
from bot.features.sentences.reading import Reading
from bot.features.sentences.selection import Which, select, split_tokens
from bot.features.sentences.timing import is_planned_start
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Element, Markup, fill, line
from bot.messages.texts import talk
from bot.messages.verb import Effect, find_verb, list_verbs
from bot.store import accounts
from bot.support.pool import run_beside_loop
from handlers import routes, suggestions, vocabulary
from handlers.command_line import NO_COMMANDS, fold_word, parse
from handlers.names import MAX_SIMILAR_WORDS, Entity, Names, read_names
from handlers.request import Request
from handlers.workspace import targets, timers


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HOW_QUESTIONS: Final = frozenset(
    {("how", one) for one in ("do", "can", "to", "would", "should")} | {("wie", "kann")}
)

Slot = Literal[
    "workspace", "run", "job", "course", "connection", "template", "name", "time", "recurrence", "days"
]


class Consequence(StrEnum):
    """The consequence of a label for the person's own things."""

    ANSWERS = "answers"  #: a question about what is there
    TELLS = "tells"  #: about Usher, or only talk
    ASKS = "asks"  #: opens a form, or asks by itself
    STARTS = "starts"
    ENDS = "ends"
    CHANGES = "changes"


class Proposal(NamedTuple):
    """An offer: its answer where it stands alone, and its button among others.

    ``is_form`` is for a form or a question about a slot that is missing: it comes after everything else.
    """

    alone: Answer
    button: Element
    label: str = ""
    is_form: bool = False

    @property
    def text(self) -> str:
        """Return the words on the button."""
        return str(self.button["text"]["text"])


@dataclass(frozen=True, slots=True)
class Label:
    """The declaration of a label: its consequence, the slots that it takes, and its builders.

    ``build`` returns its buttons and ``form`` those that ask for a slot that is missing; ``show`` answers at
    once. ``command`` has no slots, and ``of_run`` is the verb for a run. ``is_rare`` takes more than a guess.
    """

    name: str
    consequence: Consequence
    slots: AbstractSet[Slot]
    build: Builder
    form: Builder | None = None
    show: Shower | None = None
    command: str = ""
    of_run: str = ""
    is_rare: bool = False

    @property
    def only_shows(self) -> bool:
        """Return whether it only shows or answers something."""
        return self.show is not None

    @property
    def verb(self) -> str:
        """Return the verb that the policy decides about."""
        return (self.command or self.name).split()[-1].removeprefix("job-").removesuffix("-off")

    @property
    def is_operation(self) -> bool:
        """Return whether it is done to workspaces, now or once."""
        effect = find_verb("workspace", self.name).effect
        is_done = effect in {Effect.STARTS, Effect.ENDS} and not self.only_shows
        return is_done and "workspace" in self.slots and "days" not in self.slots


@dataclass
class Utterance:
    """A text with its reading, names, times and bars, all that its labels depend on."""

    request: Request
    reading: Reading
    rows: Sequence[Workspace]
    words: tuple[str, ...]
    #: What all of its words name, and what was spoken of before.
    which: Which
    recent: chat.RecentReferents
    names: Names
    #: The connections on which the person can act.
    linked: AbstractSet[str]
    #: The times that it may mean, in epoch seconds; why there is none though one stands there.
    at: Sequence[float | None] = (None,)
    unread_reason: str = ""
    bars: Bars = field(default_factory=Bars)
    #: What it names is a job or a run, or is called one: ``the training run``.
    speaks_of_run: bool = False

    @classmethod
    async def read(cls, request: Request, reading: Reading, rows: Sequence[Workspace]) -> Utterance:
        """Return a text with everything that is read for it."""
        services, every_word = request.services, request.typed_words or request.arguments
        given = reading.core or every_word
        names, which = await read_names(request, rows), reading.which
        every, is_called_run = await run_beside_loop(rows, _read_names, given, names, reading)
        if every.is_all or not (reading.verb and which.named):
            # Otherwise other clauses may name what is left alone.
            which = every
        states = await services.store.read(accounts.list_account_states, request.principal)
        linked = {name for name, state in states.items() if state == "active"}
        linked |= {name for name, _ in services.list_linkless()}
        recent = await chat.read_recent_referents(request, rows)
        at, unread_reason = await _read_times(request, reading)
        words = tuple(map(fold_word, given))
        bars = find_bars(reading, every_word, which, is_unread=bool(unread_reason))
        speaks = is_called_run or bool((which.runs or which.jobs) and not which.named)
        return cls(
            request, reading, rows, words, which, recent, names, linked, at, unread_reason, bars, speaks
        )

    # -- what it is about --------------------------------------------------------------------------------

    @property
    def verbs(self) -> list[str]:
        """Return the verbs that stand there, in any form."""
        known_verbs = list_verbs("workspace").keys() - {"help"}
        verbs = {verb for word in self.words for verb in find_verbs(word)}
        return sorted((verbs & known_verbs) | (known_verbs & {*self.words}))

    @cached_property
    def courses(self) -> Sequence[Entity]:
        """Return the courses that are named, also by a part of a title."""
        spans = (
            self.names.find_similar([word], is_named=False) for word in self.which.unknown[:MAX_SIMILAR_WORDS]
        )
        near = (card for span in spans if span is not None and not span.workspaces for card in span.courses)
        return self.which.courses or tuple({card.id: card for card in near}.values())

    @property
    def workspaces(self) -> Sequence[Workspace]:
        """Return the workspaces that are named."""
        return self.which.named

    def find_time_places(self, words: Sequence[str]) -> Collection[int]:
        """Return the places of times among words."""
        return times.find(words).places

    @property
    def is_of_jobs(self) -> bool:
        """Return whether it speaks of jobs or runs."""
        return not vocabulary.JOB_WORDS.isdisjoint(self.words)

    @property
    def asks_how(self) -> bool:
        """Return whether it asks for the way to do something."""
        is_other = self.which.is_named or self.is_of_jobs
        return tuple(self.words[:2]) in _HOW_QUESTIONS and not is_other and len(self.verbs) == 1

    def find_objects(self, label: Label | None = None) -> tuple[list[Workspace], bool]:
        """Return the workspaces that may be meant, and whether exactly they are.

        ``all off`` isn't about those that are off.
        """
        which, is_operation = self.which, label is not None and label.is_operation
        is_up = label is not None and label.consequence is Consequence.STARTS
        is_down = label is not None and is_operation and label.consequence is Consequence.ENDS
        is_result = which.state == ("running" if is_up else "stopped" if is_operation else "-")
        state = "" if is_result else which.state
        if which.named and not (which.is_all and self.bars.spared):
            is_each = len(which.workspaces) > 1 and "or" not in self.words
            return [workspace for workspace in which.named if workspace.id not in self.bars.spared], is_each
        is_of_job = not {"job", "jobs"}.isdisjoint(self.words)
        is_other = which.runs or which.jobs or which.courses or which.quoted or is_of_job
        if is_other or (label is not None and label.is_rare and not which.points):
            return [], False
        besides = {workspace.id for workspace in which.besides} | self.bars.spared
        candidates = [
            workspace
            for workspace in self.rows
            if which.connections in {(), (workspace.connection,)}
            and not (state and not targets.is_in(workspace, state))
        ]
        if which.is_all or state:
            # `all idle ones` aren't all.
            is_partial = any(word in phrasebook.UNKNOWABLE for word in self.words)
            is_partial = is_partial or bool(
                which.unknown and not which.besides and SPARING.intersection(self.words)
            )
            return [] if is_partial else [
                workspace for workspace in candidates if workspace.id not in besides
            ], True
        pointed = self.recent.resolve(which, self.rows) if which.points or which.place else []
        # What ends something is about nothing that wasn't spoken of unless it was said.
        is_named_verb = (
            not is_down or (label and label.name in self.verbs) or self.recent.workspaces or which.points
        )
        return pointed or (candidates if is_named_verb else []), len(pointed) > 1

    # -- what is made of it ------------------------------------------------------------------------------

    async def run(self, command: str, key: str | None = None) -> Answer:
        """Run a command as if it had been typed."""
        parsed = parse(command, NO_COMMANDS)
        folder, (verb, *words) = parsed.folder or "workspace", parsed.words
        await self.request.caller.authorise(verb)
        return await routes.run(self.request.redirect(folder, verb, tuple(words), key))

    def offer_command(self, command: str) -> Proposal:
        """Return an offer of a command."""
        if fact := FAQ.get(command.removeprefix("help fact-")):
            return offer_button(kit.button(fact.question, ButtonValue(lists.RUN_COMMAND, command)))
        alone = suggestions.offer_commands(self.request, [command], talk.AS_COMMAND)
        return Proposal(alone, lists.list_command_buttons([command])[0])


Builder = Callable[[Utterance, Label], Awaitable[Sequence[Proposal]]]
Shower = Callable[[Utterance, Label], Awaitable[Answer | None]]


def offer_button(button: Element, sentence: str = "") -> Proposal:
    """Return an offer of a button, with a sentence above it if it stands alone."""
    label = Markup(f"*{line(button['text']['text'])}*")
    return Proposal(replies.answer(sentence or fill(talk.AS_COMMAND, commands=label), [button]), button)


def _read_names(given: tuple[str, ...], names: Names, reading: Reading) -> tuple[Which, bool]:
    """Return all names in words, and whether something is called a job or a run there."""
    which = select(split_tokens(given, names), names, is_question=reading.is_question)
    ends = {span.end for span in names.find_spans(given) if span.workspaces or span.runs}
    following = (fold_word(word) for at, word in enumerate(given) if at in ends)
    return which, not vocabulary.JOB_WORDS.isdisjoint(following)


async def _read_times(request: Request, reading: Reading) -> tuple[Sequence[float | None], str]:
    """Return the moments that a text may mean, and the reason for none though a time stands there."""
    if reading.when is None:
        return (None,), talk.CONDITIONAL if reading.time.is_unread else ""
    text = reading.when.text.rstrip(",;.!?")
    time = await timers.read_typed_time(request.services, request.principal, text)
    if not isinstance(time, Moment) and time.as_typed and is_planned_start(reading):
        # As in hours, a bare hour is one of 24.
        time = await timers.read_typed_time(request.services, request.principal, time.as_typed)
    if isinstance(time, Moment):
        return (time.at,), ""
    options = [
        await timers.read_typed_time(request.services, request.principal, moment) for moment in time.options
    ]
    either = tuple(moment.at for moment in options if isinstance(moment, Moment))
    return either or (None,), "" if either else replies.explain_unread_time(time, text, SOONEST_SECONDS)
