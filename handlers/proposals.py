"""Propose what a text may mean: at most three buttons, each with its object and its time in words.

Labels come ranked (``handlers.language.ranker``). What only shows or answers is answered at once where that
is likely. What changes something is tried before it is drawn, in reads only: a button is there if what it
does fits the state now. Nothing is ever done because of a rank.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache, partial
from typing import Any, Final, NamedTuple

from bot.domain import lessons, moments
from bot.domain.acts import RECENT_SECONDS
from bot.domain.classes import ClassCard
from bot.domain.moments import Moment
from bot.domain.notices import Answer, Spoken
from bot.domain.runs import Run
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.kit import Element, Markup, Press, fill, line
from bot.messages.texts import acts as act_words
from bot.messages.texts import cards, talk, times
from bot.messages.texts.facts import FACTS
from bot.messages.texts.verbs import VERBS
from bot.services import lessons as cases
from bot.services.home import today
from bot.services.workspaces import effects_now
from bot.support.errors import Refused
from bot.support.pool import beside
from handlers import acts, course, mistyped, questions, routes, talking
from handlers.command_line import plain, written
from handlers.connections import makers
from handlers.job import runs_named_jobs
from handlers.language import vocabulary
from handlers.language.names import Names, Which, names_of, pieces_of, which_of
from handlers.language.ranker import Rank, rank
from handlers.language.reading import TIMED, Reading
from handlers.language.words import Manner
from handlers.request import Request
from handlers.workspace import hours, targets, timers
from handlers.workspace.operations import as_it_is

#: The most buttons. How likely a label has to be: for one, for one that only shows something, as a share of
#: the likeliest, to be answered at once, and how far ahead of the next. And how much likelier a seen verb is.
MOST: Final = 3
_LEAST: Final = 0.04
_LEAST_SHOWN: Final = 0.15
_SHARE: Final = 0.2
_LIKELY: Final = 0.25
_AHEAD: Final = 2.0
_SEEN: Final = 0.3
#: Labels that work on workspaces, by whether they bring them up.
_UP: Final = frozenset({"start", "resume"})
_DOWN: Final = frozenset({"stop", "suspend", "restart", "cancel", "remove", "forget"})
_OPERATIONS: Final = _UP | _DOWN | {"keep"}
#: What the same label does where that fits better.
_BACK_UP: Final = {State.SUSPENDED: "resume"}
#: What takes more than a guess.
_RARE: Final = frozenset({"undo", "remove", "forget", "unlink", "card"})
_OF_JOBS: Final = frozenset({"job-run", "job-stop"})
_OF_COURSES: Final = frozenset({"leave", "skip", "move", "pause-course", "end-course"})
#: Labels that only show something, with what ``handlers.questions`` calls it.
_ASKED: Final = {
    "status": "state",
    "list": "list",
    "why": "why",
    "since": "since",
    "until": "until",
    "health": "health",
    "job-status": "result",
    "job-logs": "output",
    "eta": "eta",
}
#: What shows this of a run or a job.
_OF_A_RUN: Final = {"why": "result", "job-status": "result", "job-logs": "logs", "eta": "eta"}
#: What is shown of a name alone, by its mark.
_ALONE: Final = {"ww": "status", "jj": "job-status", "cc": "courses", "kk": "health"}
_OF_ACTS: Final = frozenset({"planned", "today", "heard", "messages"})
_SMALL_TALK: Final = frozenset({"hello", "thanks", "nothing", "chat", "cant"})
#: Commands that show something, or ask by themselves, without words after them.
_COMMANDS: Final = {
    **{one: one for one in ("settings", "whoami", "courses", "help", "version", "hours", "link", "new")},
    "card": "card",
    "unlink": "unlink",
    "job-list": "job list",
    "job-schedule": "job schedule",
}
#: Of these, what may be answered at once.
_ONLY_SHOWN: Final = frozenset({"settings", "whoami", "courses", "help", "version", "link", "job-list"})
#: Set a condition wherever they stand, or where no clause ends before them.
_CONDITIONS: Final = frozenset(["if", "unless", "once", "when", "whenever", "wenn", "falls", "sobald"])
_ALSO_TIMES: Final = frozenset(["after", "before", "while", "until"])
#: Who may be asked in a question that asks for something to be done.
_MAY: Final = frozenset(["can", "could", "may", "would", "will", "mind", "possible"])
_ASKERS: Final = frozenset(["i", "we", "you", "u", "ya", "ye", "it", "that", "he", "she", "they"])
#: Say, with *all*, that what is named is left alone.
_BUT: Final = vocabulary.NEGATIONS | {"but", "except", "leave", "keep", "apart", "besides", "just", "only"}
_UNTIL: Final = frozenset({"for", "until", "till", "til", "'til"})
_ENDING: Final = 4
#: The most words of a mistyped command.
_A_COMMAND: Final = 3


class Proposal(NamedTuple):
    """Hold what is proposed: its answer where it stands alone, and its button among others."""

    alone: Answer
    button: Element


async def proposed(
    request: Request, reading: Reading, ranks: Sequence[Rank], rows: Sequence[Workspace]
) -> Answer:
    """Answer what is likely and only shows something; otherwise propose what may be meant and works."""
    text = await _Text.of(request, reading, rows)
    if text.which.is_theirs and not text.which.courses:
        return talking.theirs(request, text.which.named)
    if reading.parts:
        return await _one_each(request, reading.parts, rows)
    if reading.verb and reading.manner is Manner.TYPED:
        await mistyped.refuse_flags(request.about(reading.folder, reading.verb, reading.words))
    if is_mistyped(request, text.which):
        return talking.not_understood(request)
    ranks = _weighed(reading, ranks)
    for label in _likely(text, ranks):
        if (shown := await text.shown(label)) is not None:
            return replies.with_remarks(shown, text.left_out(label)) if shown.text else shown
    found: dict[str, Proposal] = {}
    for label, _ in ranks:
        for one in await text.proposals(label):
            found.setdefault(one.button["text"]["text"], one)
        if len(found) >= MOST:
            break
    return await text.answer([*found.values()][:MOST], ranks[0].label if ranks else "")


async def _one_each(request: Request, parts: Sequence[Reading], rows: Sequence[Workspace]) -> Answer:
    """Propose the likeliest of each clause."""
    found: dict[str, Proposal] = {}
    texts = [
        await _Text.of(replace(request, given=part.said), part, rows)
        for part in parts
        if part.said and part.how != "not"
    ]
    for text in texts:
        for label, _ in _weighed(text.reading, rank(text.reading.marked)):
            if fitting := (await text.proposals(label))[:1]:
                found.setdefault(fitting[0].button["text"]["text"], fitting[0])
                break
    whole = await _Text.of(request, replace(parts[0], how=""), rows)
    return await whole.answer([*found.values()][:MOST], "")


def _weighed(reading: Reading, ranks: Sequence[Rank]) -> list[Rank]:
    """Return what is worth a button, the likeliest first: a verb that the grammar saw is likelier."""
    is_seen = reading.verb in _OPERATIONS | {"hours"} and reading.folder == "workspace"
    more = {reading.verb: _SEEN} if is_seen else {}
    likely = more | {one.label: one.likelihood + more.get(one.label, 0.0) for one in ranks}
    top = max(likely.values(), default=0.0)
    weak = {label for label in likely if label in _RARE or (is_shown(label) and label not in _ASKED)}
    least = {label: _LEAST_SHOWN if label in weak else _LEAST for label in likely}
    found = [Rank(label, one) for label, one in likely.items() if one >= max(least[label], top * _SHARE)]
    return sorted(found, key=lambda one: -one.likelihood)


def is_mistyped(request: Request, which: Which) -> bool:
    """Return whether it is a command with a slip in its verb, or a link to something that isn't known."""
    first, *others = request.arguments or ("",)
    if not others and "://" in first:
        return not which.is_named
    is_command = len(others) < _A_COMMAND or request.folder == "job"
    return is_command and bool(talking.near(request, plain(first)))


def _likely(text: _Text, ranks: Sequence[Rank]) -> list[str]:
    """Return the labels of which the first that can is answered at once; of a question, any that shows."""
    if len(text.reading.marked) == 1 and (label := _ALONE.get(text.reading.marked[0], "")):
        return [label]
    shown = [one for one in ranks if is_shown(one.label)]
    first, second = [*ranks, Rank("", 0.0), Rank("", 0.0)][:2]
    if not text.is_asked_only:
        is_ahead = first.likelihood >= max(_LIKELY, second.likelihood * _AHEAD)
        return [first.label] if is_ahead and first in shown else []
    if text.which.state and not text.which.is_named and first.likelihood < _LIKELY * _AHEAD:
        return ["list"]
    is_named = text.which.is_named
    least = {one.label: _LEAST if is_named else _LEAST_SHOWN for one in shown if one.label in _ASKED}
    likely = [one.label for one in shown if one.likelihood >= least.get(one.label, _LIKELY)]
    return likely or (["planned"] if text.reading.when is not None else [])


def is_shown(label: str) -> bool:
    """Return whether a label only shows or answers something."""
    only = _ASKED.keys() | _OF_ACTS | _SMALL_TALK | _ONLY_SHOWN | {"open"}
    return label in only or label.removeprefix("fact-") in FACTS


@dataclass(slots=True)
class _Text:
    """Hold what was written, with what decides about what fits it."""

    request: Request
    reading: Reading
    rows: Sequence[Workspace]
    heard: talking.Heard
    words: tuple[str, ...]
    #: What all of its words name.
    which: Which
    #: The connections on which the person can act.
    linked: frozenset[str] = frozenset()
    #: The times that it may mean, in epoch seconds: none without one, two where it is ambiguous.
    at: tuple[float, ...] = ()
    #: Why there is none, though one stands there.
    unread: str = ""
    #: What it forbids, and on which workspaces, if not on all.
    barred: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()

    @classmethod
    async def of(cls, request: Request, reading: Reading, rows: Sequence[Workspace]) -> _Text:
        """Return a text with everything that is read for it."""
        services = request.services
        heard = await talking.heard(request, rows)
        states = await services.store.account_states(request.principal)
        able = {name for name, state in states.items() if state == "active"}
        given = request.given or request.arguments
        names = await names_of(request, rows)
        which = await beside(rows, _which, given, names, reading.is_question)
        if reading.verb and reading.which.named and not which.is_all:
            # Other clauses may name what is left alone.
            which = reading.which
        text = cls(request, reading, rows, heard, tuple(map(plain, given)), which)
        text.linked = frozenset(able | {name for name, _ in services.linkless()})
        text.at, text.unread = await _times(request, reading)
        text.barred, text.spared = text._forbidden()
        return text

    @property
    def is_conditional(self) -> bool:
        """Return whether it says under which condition something is to be done."""
        given = self.request.given or self.request.arguments
        ends = next((at for at, word in enumerate(given) if word[-1] in ",.;:!"), len(given))
        is_set = bool(_CONDITIONS.intersection(self.words) or _ALSO_TIMES.intersection(self.words[:ends]))
        is_time = self.reading.when is not None and not _CONDITIONS.intersection(self.words)
        return self.reading.how == "if" and is_set and not is_time

    @property
    def is_asked_only(self) -> bool:
        """Return whether it is a question that asks for nothing to be done."""
        first, second = [*self.words, "", ""][:2]
        asks = (first in _MAY and second in _ASKERS) or (
            first not in vocabulary.ASKING | _MAY | {"should", "shall"} and not self.words_ask
        )
        return self.reading.is_question and not asks

    @property
    def words_ask(self) -> bool:
        """Return whether one of the first words asks: ``and what happens if``."""
        return bool(vocabulary.ASKING.intersection(self.words[:3]))

    # -- guards ------------------------------------------------------------------------------------------

    def _forbidden(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the labels that stand behind a negation, with their opposites, and whom they are about.

        Where others are named outside that clause, it is about those that are named in it.
        """
        given, which = self.request.given or self.request.arguments, self.which
        named, found = {one.id for one in which.named}, set[str]()
        at = next((at for at, one in enumerate(self.words) if one in vocabulary.NEGATIONS), 0)
        end = next((end for end in range(at + 1, len(given)) if given[end - 1][-1] in ",.;:!"), len(given))
        clause = self.words[at:end] if self.reading.how == "not" else ()
        for word in clause:
            found |= _verbs_of(word) & (_UP | _DOWN)
        inside = {one.id for one in which.named if one.title.casefold() in " ".join(clause)}
        is_all = which.is_all and not {"all", "everything"}.intersection(clause)
        if not found:
            # ``all off, but leave report on``
            is_out = is_all and bool(_BUT.intersection(self.words))
            return frozenset(), frozenset(named if is_out else ())
        if inside and (named - inside or is_all):
            return frozenset(), frozenset(inside)
        every = _OPERATIONS | _OF_JOBS | {"open", "hours"}
        return frozenset(every - ({"keep"} if found & _DOWN else set())), frozenset()

    def _is_allowed(self, label: str) -> bool:
        is_held = self.reading.how == "quote" or self.is_conditional or self.is_asked_only
        return is_shown(label) or not (is_held or label in self.barred)

    # -- what only shows ---------------------------------------------------------------------------------

    async def shown(self, label: str) -> Answer | None:
        """Return what answers a label that only shows something; None where it can't."""
        request, which = self.request, self.which
        if label in _SMALL_TALK:
            return None if which.is_named else talking.small_talk(request, label)
        if (topic := label.removeprefix("fact-")) in FACTS and topic != label:
            return replies.hint(talking.fact_of(request, topic))
        if label in _OF_ACTS:
            return await acts.asked_about(request, label)
        if label in _ONLY_SHOWN:
            return await self._run(_COMMANDS[label])
        if label == "open":
            chosen, _ = self._objects()
            (one,) = chosen if len(chosen) == 1 else [None]
            return None if one is None else await self._run("open", one.id)
        if which.courses and not (which.named or which.runs):
            return await self._run("courses")
        if label in _OF_A_RUN and not which.named and (which.runs or which.jobs):
            return await self._of_a_run(_OF_A_RUN[label])
        if label == "eta":
            return await self._run("eta", which.named[0].id if which.named else None)
        await request.asked.authorise("status")
        state = which.state or self.reading.which.state
        about = replace(which, unknown=(), left_out=(), state=state)
        reading = replace(self.reading, kind="question", what=_ASKED[label], which=about, how="")
        return await questions.answered(replace(request, verb="status"), reading, self.rows)

    async def _of_a_run(self, verb: str) -> Answer:
        """Return what a verb shows of the run that is named, or that its job never ran."""
        if not self.which.runs:
            return replies.hint(fill(talk.NEVER_RUN, name=self.which.jobs[0].name))
        await self.request.asked.authorise(verb)
        run = self.which.runs[0]
        return await routes.run(self.request.about("job", verb, (run.name,), run.id))

    async def _run(self, command: str, key: str | None = None) -> Answer:
        folder, _, verb = command.rpartition(" ")
        words = () if key or command == "job list" else self.which.connections[:1]
        if command == "help":
            words = tuple(word for word in dict.fromkeys(self.words) if word in VERBS["workspace"])
        request = self.request.about(folder or "workspace", verb, words, key)
        await request.asked.authorise(verb)
        return await routes.run(request)

    def left_out(self, label: str) -> list[str]:
        """Say what wasn't understood besides a verb that was, and which time something doesn't take."""
        left = self.which.left_out or ([" ".join(self.reading.left)] if self.reading.left else [])
        is_seen = bool(self.reading.verb) and label == self.reading.verb
        is_seen = is_seen or (label in _ASKED and self.which.is_named)
        phrases = [one for one in left if is_seen or "=" in one]
        if self.reading.when is not None and label in _OPERATIONS - TIMED:
            phrases.append(self.reading.when.text.rstrip(",;.!?"))
        return [fill(talk.LEFT_OUT, names=talking.bold(phrases[: replies.FEW]))] if phrases else []

    # -- what is proposed --------------------------------------------------------------------------------

    async def proposals(self, label: str) -> list[Proposal]:
        """Return what a label may do here and now, each tried."""
        if label == "again":
            label = "start" if self.which.named else "job-run"
        if label == "hold" or not self._is_allowed(label) or not await self._may(label):
            return []
        if label in _OPERATIONS:
            found = await self._operations(label)
        elif label in {"hours", "hours-off"}:
            found = await self._hours(label)
        elif label in _OF_JOBS:
            found = await self._of_jobs(label)
        elif label in _OF_COURSES:
            found = await self._of_courses(label)
        elif label == "undo":
            found = await self._undo()
        else:
            found = self._commands(label)
        return found

    async def _may(self, label: str) -> bool:
        verb = _COMMANDS.get(label, label).removeprefix("job-").split()[-1]
        is_verb = any(verb in verbs for verbs in routes.verbs_of_folders().values())
        return not is_verb or (await self.request.asked.decide(verb)).allowed

    def _objects(self, label: str = "") -> tuple[list[Workspace], bool]:
        """Return the workspaces that may be meant, and whether exactly they are.

        ``all off`` isn't about those that are off.
        """
        which = self.which
        is_result = which.state == ("running" if label in _UP else "stopped" if label in _OPERATIONS else "-")
        state = "" if is_result else which.state
        if which.named and not (which.is_all and self.spared):
            return [one for one in which.named if one.id not in self.spared], len(which.workspaces) > 1
        there = [one for one in self.rows if which.connections in {(), (one.connection,)}]
        if which.is_all or state:
            besides = {one.id for one in which.besides} | self.spared
            fitting = [one for one in there if not state or targets.is_in(one, state)]
            return [one for one in fitting if one.id not in besides], True
        is_else = which.runs or which.jobs or which.courses or which.quoted
        if is_else:
            return [], False
        if which.points or which.place:
            pointed = self.heard.pointed(which, self.rows)
            return pointed or there, len(pointed) > 1
        return there, False

    async def _operations(self, label: str) -> list[Proposal]:
        is_unread = label in _DOWN | {"keep"} and any(one[:1].isdigit() for one in self.reading.left)
        if label in TIMED - (_UP if self.reading.when is None else set()) and (self.unread or is_unread):
            return self._later(label)
        chosen, is_all = self._objects(label)
        if label in {"remove", "forget"} and not (self.which.named or self.which.points):
            return []
        found: list[Proposal] = []
        for at in (self.at or (None,)) if label in TIMED else (None,):
            groups: dict[tuple[str, float | None], list[Workspace]] = {}
            for one in chosen:
                if one.connection in self.linked:
                    groups.setdefault(self._fitted(label, at, one), []).append(one)
            for (verb, then), group in groups.items():
                about = replace(self.request.about("workspace", verb, ()), at=then, flags=frozenset())
                if then is not None:
                    about = replace(about, moment=Moment(then))
                able = [one for one in await targets.needed(about, group) if targets.is_possible(about, one)]
                able = self._spoken_first(able)
                if is_all and len(able) > 1:
                    found += await self._together(about, able)
                else:
                    found += [await self._single(about, one) for one in able[:MOST]]
        return found

    def _spoken_first(self, able: list[Workspace]) -> list[Workspace]:
        """Return only what was last spoken of, if nothing is named and that is among them."""
        spoken = {one.id for one in self.heard.workspaces}
        is_open = not (self.which.is_named or self.which.is_all or self.which.state)
        return [one for one in able if one.id in spoken] or able if is_open else able

    def _fitted(self, label: str, at: float | None, one: Workspace) -> tuple[str, float | None]:
        """Return what a label means for a workspace in its state, with when."""
        is_up = one.state in {State.RUNNING, State.STARTING}
        lead, now = self.reading.when.lead if self.reading.when else "", self.request.services.clock.now()
        if self.reading.how == "not" and (label == "keep" or lead in _UNTIL):
            # ``don't let it stop at 6``, ``don't wait until 6``
            return label, None
        if self.reading.more and is_up and label in {"keep", "start", "stop"}:
            return ("keep" if one.stop_at else "stop"), (one.stop_at or now) + self.reading.more
        if label in _UP | {"keep"} and at is not None and is_up:
            return ("keep" if one.stop_at else "stop"), at
        if label == "keep" and at is not None:
            label = "start"
        return (_BACK_UP.get(one.state, label) if label in _UP else label), at

    async def _single(self, about: Request, one: Workspace) -> Proposal:
        lead = self.reading.when.lead if self.reading.when else ""
        if about.at is not None and about.verb in _UP | {"restart"} and lead not in {"", *_UNTIL}:
            return self._said(f"hours {written((one.title,))} {await hours.once(about)}")
        label = await targets.label_of(about, about.verb, line(one.title))
        if about.at is not None or about.verb in {"keep", "cancel"}:
            button = kit.button(line(label, kit.BUTTON), buttons.changing(about.verb, one, at=about.at))
        else:
            effects = effects_now(about.services.context, one)
            button = kit.quiet(replies.verb_button(about.verb, one, 0, effects, label))
        if about.verb in {"cancel", "remove"}:
            return Proposal(
                replies.answer(fill(talk.AS_COMMAND, commands=Markup(f"*{line(label)}*")), [button]), button
            )
        return Proposal(await targets.one(about, one), button)

    async def _together(self, about: Request, able: Sequence[Workspace]) -> list[Proposal]:
        alone = await targets.several(about, able, self.which)
        button = next(kit.buttons_of(alone.blocks), None)
        if button is None:
            return []
        label = await targets.label_of(about, about.verb, times.listed(line(one.title) for one in able))
        return [Proposal(alone, kit.numbered(button, 0, line(label, kit.BUTTON)))]

    def _later(self, label: str) -> list[Proposal]:
        """Return *Stop later…*, where the time of a stop can't be read: its form asks for one."""
        chosen, _ = self._objects()
        up = [one for one in chosen if one.state is State.RUNNING and one.connection in self.linked]
        if len(up) != 1 or label not in {"stop", "keep"} or not self.which.is_named:
            return []
        button = kit.button(cards.LATER, "stop_later", up[0].id)
        return [Proposal(replies.hint(self.unread or talk.CONDITIONAL, [button]), button)]

    async def _hours(self, label: str) -> list[Proposal]:
        said = self.reading.hours if label == "hours" else "off"
        chosen, _ = self._objects()
        if not said:
            return []
        if label == "hours-off":
            chosen = await hours.having(self.request, chosen)
        return [self._said(f"hours {written((one.title,))} {said}".rstrip()) for one in chosen[:MOST]]

    async def _skipped(self) -> list[Proposal]:
        """Return what leaves the day out of hours on which something named shouldn't start or stop."""
        days = _days_in(self.words, await hours.day_of(self.request)) if self.which.named else []
        kept = await hours.having(self.request, self.which.named) if days else []
        return [self._said(f"hours {written((one.title,))} skip {days[0]}") for one in kept[:MOST]]

    async def _of_jobs(self, label: str) -> list[Proposal]:
        which, services = self.which, self.request.services
        if which.workspaces:
            return []
        named = [run for run in which.runs if run.connection in self.linked]
        if label == "job-stop":
            going = named if which.runs or which.jobs else await services.store.runs(self.request.principal)
            going = [run for run in going if run.is_going and not run.stop_wanted]
            return [self._of_run(lists.stop_run, run, force=False) for run in going[:MOST]]
        again = [run for run in named or ([] if which.is_named else self.heard.runs) if run.spec is not None]
        if again:
            return [self._of_run(lists.run_again, run) for run in again[:MOST]]
        jobs = [one for one in which.jobs if one.connection in makers(services, "job")]
        jobs = [one for one in jobs if runs_named_jobs(self.request, one.connection)]
        return [self._said(f"job run {written((one.connection, one.name))}") for one in jobs[:MOST]]

    def _of_run(self, offer: Any, run: Run, **how: bool) -> Proposal:
        alone = offer(run, self.request.services.title(run.connection), **how)
        return Proposal(alone, next(kit.buttons_of(alone.blocks)))

    async def _of_courses(self, label: str) -> list[Proposal]:
        """Return what a label does to one's courses: to those that are named, or to any."""
        own = await self.request.asked.see(cases.own)
        named = {one.id for one in self.which.courses}
        if self.which.named and not named:
            return []
        own = [(card, is_taught) for card, is_taught in own if not named or card.id in named]
        found = [self._of_course(label, card, is_taught=is_taught) for card, is_taught in own]
        return [one for one in found if one is not None]

    def _of_course(self, label: str, card: ClassCard, *, is_taught: bool) -> Proposal | None:
        now = self.request.services.clock.now()
        if label in {"leave", "end-course"} and not is_taught:
            return self._press(talk.LEAVE_COURSE, card, Press("course_leave", card.id))
        if not is_taught and label != "skip":
            return None
        days = _days_in(self.words, card.day(now))
        coming = lessons.days_of(card, now)[:1]
        # Without a day, it is about the next lesson.
        first, last = [*days, *([] if days else coming), "", ""][:2]
        said = {
            "skip": f"skip {first}",
            "leave": "end",
            "end-course": "end",
            "move": f"move {first} to {last}",
            "pause-course": f"pause until {first}" if days else "",
        }[label]
        try:
            if not course.order(card, said, now):
                return None
        except Refused:
            return None
        words = talk.COURSE[label if label != "leave" else "end-course"]
        press = Press("course_change", f"{card.id} {card.day(now)} {said}")
        named = {"first": first and times.weekday_of(first), "last": last and times.weekday_of(last)}
        return self._press(words, card, press, **named)

    def _press(self, template: str, card: ClassCard, press: Press, **names: str) -> Proposal:
        label = kit.bare(fill(template, course=card.title, **names))
        return _asked(kit.button(line(label, kit.BUTTON), press))

    async def _undo(self) -> list[Proposal]:
        now = self.request.services.clock.now()
        done = await today(self.request.services.context, self.request.principal)
        last = next((one.act for one in done if one.act.undone_at is None and not one.act.asker), None)
        if last is None or not last.can_be_undone or now - last.done_at > RECENT_SECONDS:
            return []
        return [_asked(kit.button(act_words.UNDO, "undo", last.id))]

    def _commands(self, label: str) -> list[Proposal]:
        """Return the command of a label that shows something or asks by itself."""
        which, names = self.which, [one.title for one in self.which.named[:MOST]]
        if label == "alias":
            news = self.reading.left or which.unknown
            can = len(names) == 1 and len(news) == 1
            return [self._said(f"alias {written((names[0], news[0]))}")] if can else []
        if label in {"open", "status", "why", "since", "until", "eta"} and names:
            verb = "open" if label == "open" else "status"
            return [self._said(f"{verb} {written((one,))}") for one in names]
        if label in _OF_A_RUN and which.runs:
            return [self._said(f"job {_OF_A_RUN[label]} {written((run.name,))}") for run in which.runs[:MOST]]
        if (topic := label.removeprefix("fact-")) in FACTS and topic != label:
            return [_asked(kit.button(FACTS[topic].asks, Press(lists.SAY, f"help {label}")))]
        command = "list" if label in {"status", "list", "health"} else _COMMANDS.get(label, "")
        if command in {"link", "unlink", "new", "list"} and which.connections:
            command = f"{command} {written((self.request.services.title(which.connections[0]),))}"
        return [self._said(command)] if command else []

    def _said(self, command: str) -> Proposal:
        alone = talking.offered(self.request, [command], talk.AS_COMMAND)
        return Proposal(alone, lists.command_buttons([command])[0])

    # -- the answer --------------------------------------------------------------------------------------

    async def answer(self, found: Sequence[Proposal], label: str) -> Answer:
        """Answer with what was found; otherwise say why there is nothing, with what can be shown."""
        which = self.which
        is_held = bool(self.barred) or label == "hold"
        if is_held and not found:
            found = await self._skipped() or (await self.proposals("keep") if which.named else [])
        if not found and not is_held and (one := self._only_one()) is not None:
            return await self._state_of(one, label)
        name = which.named[0].title if which.named else ""
        if self.is_asked_only:
            head = talk.LIKELY if found else talk.NOT_UNDERSTOOD
        elif self.is_conditional or (self.unread and not found):
            head = fill(talk.CONDITIONAL_NAMED, name=name) if name else talk.CONDITIONAL
            head = head if self.is_conditional else self.unread
        elif is_held:
            head = fill(talk.LEFT_ALONE, name=name) if name else talk.TALK["left_alone"]
        elif len(found) == 1:
            return replies.with_remarks(found[0].alone, self.left_out(label))
        else:
            head = talk.LIKELY if found else talk.NOT_UNDERSTOOD
        is_about = found or which.is_named or self.reading.verb or self.reading.when or label
        if not (is_about or any(map(_verbs_of, self.words))):
            return talking.not_understood(self.request)
        pressed = [*(one.button for one in found), *self._shows()][:MOST] or [replies.list_button()]
        pressed = [kit.numbered(one, at, one["text"]["text"]) for at, one in enumerate(pressed)]
        keys = tuple(one.id for one in which.named)
        about = Spoken(keys, tuple(run.id for run in which.runs), takes_press=bool(found))
        about = about.doing(label, *(self.at if label in TIMED else ()))
        said = replies.hint(head, pressed)
        return replace(replies.with_remarks(said, self.left_out(label) if found else []), about=about)

    def _only_one(self) -> Workspace | None:
        """Return the one workspace that is named, unless its state answers nothing that was said."""
        is_held = self.is_conditional or self.is_asked_only or self.reading.how == "quote" or self.unread
        return self.which.named[0] if len(self.which.named) == 1 and not is_held else None

    async def _state_of(self, one: Workspace, label: str) -> Answer:
        """Show the one workspace that is named, where nothing that was said fits its state."""
        if label in _UP and one.state is State.RUNNING and self.reading.when is None:
            return await self._run("open", one.id)
        remark = "" if label in _OPERATIONS else talk.NOT_UNDERSTOOD
        await self.request.asked.authorise("status")
        about = self.request.about("workspace", "status", (), one.id)
        about.spoken.of([one])
        return await as_it_is(about, one, remark)

    def _shows(self) -> list[Element]:
        """Return the buttons that show what is named."""
        which = self.which
        commands = [f"status {written((one.title,))}" for one in which.named]
        commands += [f"job status {written((run.name,))}" for run in which.runs]
        commands += ["courses"] if which.courses else []
        if not commands:
            commands = [f"list {written((one,))}" for one in which.connections]
        return lists.command_buttons(commands[:MOST])


def _which(given: tuple[str, ...], names: Names, is_question: bool) -> Which:
    return which_of(pieces_of(given, names), names, is_question=is_question)


def _asked(button: Element) -> Proposal:
    """Return what is proposed by its button alone."""
    said = Markup(f"*{line(button['text']['text'])}*")
    return Proposal(replies.answer(fill(talk.AS_COMMAND, commands=said), [button]), button)


async def _times(request: Request, reading: Reading) -> tuple[tuple[float, ...], str]:
    """Return the moments that a text may mean, and why there is none though a time stands there."""
    when = reading.when
    if when is None:
        return (), (talk.CONDITIONAL if reading.time.is_unread else "")
    read = partial(timers.typed_moment, request.services, request.principal)
    found = await read(when.text.rstrip(",;.!?"))
    if isinstance(found, Moment):
        return (found.at,), ""
    options = [one for one in [await read(text) for text in found.options] if isinstance(one, Moment)]
    if options:
        return tuple(one.at for one in options), ""
    return (), replies.unread(found, when.text, SOONEST_SECONDS)


@lru_cache(1_000)
def _verbs_of(word: str) -> set[str]:
    """Return the verbs that a word means, also in another form: ``stopped``, ``turning``."""
    found: set[str] = set()
    for known, verb in _meanings():
        is_form = word.startswith(known) and len(word) - len(known) <= _ENDING
        if word == known or (is_form and len(known) >= 3):
            found.add(verb)
    return found


@cache
def _meanings() -> list[tuple[str, str]]:
    """Return the words that mean a verb, with it."""
    pairs = [*vocabulary.SYNONYMS["workspace"].items(), *((verb, verb) for verb in _UP | _DOWN)]
    opening = [(word, verb) for word, every in vocabulary.OPENINGS.items() for _, verb in every]
    return [*pairs, *(pair for pair in opening if pair[0] not in {"get", "go", "take"})]


def _days_in(words: Collection[str], today: date) -> list[str]:
    """Return the days that words name, in their order."""
    given, found = [word.removesuffix("'s") for word in words], list[str]()
    for at in range(len(given)):
        day = moments.day_of(" ".join(given[at : at + 2]), today) if at + 1 < len(given) else None
        day = day or moments.day_of(given[at], today)
        if day is not None and day.isoformat() not in found:
            found.append(day.isoformat())
    return found
