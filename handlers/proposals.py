"""Propose what a text may mean: at most three buttons, each with its object and its time in words.

Labels come ranked (``handlers.language.ranker``). What only shows or answers is answered at once where that
is likely. What changes something is tried before it is drawn, in reads only: a button is there if what it
does fits the state now. Nothing is ever done because of a rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from bot.domain import lessons, moments
from bot.domain.classes import ClassCard
from bot.domain.conversations import Referents
from bot.domain.moments import Moment
from bot.domain.notices import Answer
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.kit import Element, Markup, Press, fill, line
from bot.messages.texts import talk, times
from bot.messages.texts.facts import FACTS
from bot.messages.texts.verbs import VERBS
from bot.services import lessons as cases
from bot.services import naming
from bot.services.acts import today
from bot.services.workspaces import effects_now
from bot.support.errors import Refused
from bot.support.pool import beside
from handlers import acts, course, mistyped, questions, routes, suggesting, talking
from handlers.command_line import NO_COMMANDS, Quoted, parse, plain, written
from handlers.connections import makers
from handlers.job import runs_named_jobs
from handlers.language import vocabulary
from handlers.language.names import Names, names_of
from handlers.language.ranker import Rank, rank
from handlers.language.reading import TIMED, Reading
from handlers.language.times import is_order
from handlers.language.which import STAYING, Which, pieces_of, which_of
from handlers.request import Answered, Manner, Request
from handlers.synonyms import SYNONYMS
from handlers.workspace import confirmations, hours, targets, timers
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
#: The most words of a command with a slip in its verb.
_A_COMMAND: Final = 3


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Labels that work on workspaces, by whether they bring them up.
_UP: Final = _set("start resume")
_DOWN: Final = _set("stop suspend restart cancel remove forget")
_OPERATIONS: Final = _UP | _DOWN | {"keep"}
#: What takes more than a guess.
_RARE: Final = _set("undo remove forget unlink card")
_OF_COURSES: Final = _set("leave skip move pause-course end-course")
#: Labels that ``handlers.questions`` answers, ``handlers.acts``, and that are only talk.
_ASKED: Final = _set("status list why since until health job-status job-logs eta")
_OF_ACTS: Final = _set("planned today heard messages")
_TALK: Final = _set("hello thanks nothing chat cant")
#: Commands that show something or ask by themselves; of these, what may be answered at once.
_WHOLE: Final = {
    one: one for one in _set("settings whoami courses help version link new card unlink list")
} | {"job-list": "job list", "job-schedule": "job schedule", "health": "list", "status": "list", "eta": "eta"}
_ONLY_SHOWN: Final = _set("settings whoami courses help version link job-list open")
#: What shows a label of a run, and of a name alone, by its mark.
_OF_RUNS: Final = (
    {one: one for one in _set("eta status")}
    | {"job-logs": "logs"}
    | dict.fromkeys(("why", "job-status"), "result")
)
_ALONE: Final = {"ww": "status", "jj": "job-status", "cc": "courses", "kk": "health"}
#: Set a condition wherever they stand, or where no clause ends before them.
_CONDITIONS: Final = _set("if unless once when whenever wenn falls sobald")
_ALSO_TIMES: Final = _set("after before while until")
#: With whom a question asks for something to be done; what asks for none all the same.
_MAY: Final = _set("can could may should shall would will mind possible")
_ASKERS: Final = _set("i we you u ya ye it that he she they")
#: Say, with *all*, that what is named is left alone.
_BUT: Final = vocabulary.NEGATIONS | _set("but except leave keep apart besides just only")
_UNTIL: Final = _set("for until till til 'til")
_HOW: Final = frozenset({("how", one) for one in ("do", "can", "to", "would", "should")} | {("wie", "kann")})


class Proposal(NamedTuple):
    """Hold what is proposed: its answer where it stands alone, and its button among others."""

    alone: Answer
    button: Element


async def proposed(
    request: Request, reading: Reading, ranks: Sequence[Rank], rows: Sequence[Workspace]
) -> Answer:
    """Answer what is likely and only shows something; otherwise propose what may be meant and works."""
    text = await _Text.of(request, reading, rows)
    if text.which.named:
        request.spoken.of(text.which.named)
    if text.which.is_theirs and not text.which.courses:
        return talking.theirs(request, text.which.named)
    if reading.parts:
        return await _one_each(text, reading.parts)
    if reading.verb and reading.manner is Manner.TYPED:
        await mistyped.refuse_flags(request.about(reading.folder, reading.verb, reading.words))
    if not (reading.which.is_named or reading.is_question) and _is_mistyped(request, text.which, ranks):
        return talking.not_understood(request)
    ranks = _weighed(reading, _applying(text, ranks))
    for label in _likely(text, ranks):
        if (shown := await text.shown(label)) is not None:
            return replies.with_remarks(shown, text.left_out(label)) if shown.text else shown
    found: dict[str, Proposal] = {}
    for label, _ in ranks:
        found = {one.button["text"]["text"]: one for one in await text.proposals(label)} | found
        if len(found) >= MOST:
            break
    return await text.answer([*found.values()][:MOST], ranks[0].label if ranks else "")


async def _one_each(whole: _Text, parts: Sequence[Reading]) -> Answer:
    """Propose the likeliest of each clause."""
    found: dict[str, Proposal] = {}
    for part in parts:
        text = await _Text.of(replace(whole.request, given=part.said), part, whole.rows)
        for label, _ in _weighed(part, rank(part.marked)) if part.said and part.how != "not" else ():
            if fitting := (await text.proposals(label))[:1]:
                found.setdefault(fitting[0].button["text"]["text"], fitting[0])
                break
    return await replace(whole, reading=replace(whole.reading, how="")).answer([*found.values()][:MOST], "")


def _applying(text: _Text, ranks: Sequence[Rank]) -> list[Rank]:
    """Return the ranks of labels that can be about what is named, with what is left out shared among them."""
    which = text.which
    others = set(_OF_COURSES - {"skip"}) if which.named and not which.courses else set()
    others |= {*_OPERATIONS, "hours", "hours-off"} if which.courses and not which.named else set()
    if text.request.folder == "job" and not which.named:
        others |= {"start", "stop", "restart", "status", "list"}
    kept = [one for one in ranks if one.label not in others]
    total = sum(one.likelihood for one in kept) or 1.0
    share = min(1.0, sum(one.likelihood for one in ranks)) / total
    return [Rank(one.label, one.likelihood * share) for one in kept]


def _weighed(reading: Reading, ranks: Sequence[Rank]) -> list[Rank]:
    """Return what is worth a button, the likeliest first: a verb that the grammar saw is likelier."""
    is_seen = reading.verb in _OPERATIONS | {"hours"} and reading.folder == "workspace"
    likely = {one.label: one.likelihood for one in ranks}
    if is_seen:
        likely[reading.verb] = max(likely.values(), default=0.0) + _SEEN
    least = _SHARE * max(likely.values(), default=0.0)
    weak = {one for one in likely if one in _RARE or (is_shown(one) and one not in _ASKED)}
    least_of = {one: max(least, _LEAST_SHOWN if one in weak else _LEAST) for one in likely}
    found = [Rank(label, one) for label, one in likely.items() if one >= least_of[label]]
    return sorted(found, key=lambda one: -one.likelihood)


def _is_mistyped(request: Request, which: Which, ranks: Sequence[Rank]) -> bool:
    """Return whether it is a command with a slip in its verb, or a link to something that isn't known."""
    first, *others = [one for one in request.arguments if not one.startswith("--")] or [""]
    if not others and naming.to_link(first):
        return not which.is_named
    if not others and isinstance(first, Quoted):
        return True
    is_command = len(others) < (2 if which.is_named else _A_COMMAND) or request.folder == "job"
    is_likely = not which.is_named and any(one.likelihood > _SEEN for one in ranks)
    return is_command and not is_likely and bool(suggesting.near(request, plain(first)))


def _likely(text: _Text, ranks: Sequence[Rank]) -> list[str]:
    """Return the labels of which the first that can is answered at once; of a question, any that shows."""
    if len(text.reading.marked) == 1 and (label := _ALONE.get(text.reading.marked[0], "")):
        return [label]
    if text.asks_how and not (ranks and ranks[0].label in _WHOLE):
        return ["help"]
    shown = [one for one in ranks if is_shown(one.label)]
    first, second = [*ranks, Rank("", 0.0), Rank("", 0.0)][:2]
    asks = text.only_asks or (text.reading.is_question and first in shown)
    if not asks:
        # What answers a question that nobody asked has to be likelier.
        enough = _LIKELY * (_AHEAD if first.label.startswith("fact-") else 1.0)
        is_ahead = first.likelihood >= max(enough, second.likelihood * _AHEAD)
        return [first.label] if is_ahead and first in shown else []
    is_named = text.which.is_named
    if text.which.state and not is_named and first.likelihood < _LIKELY * _AHEAD:
        return ["list"]
    is_about_one = is_named and text.reading.how != "if"
    least = dict.fromkeys(_ASKED, _LEAST if is_about_one else _LEAST_SHOWN)
    likely = [one.label for one in shown if one.likelihood >= least.get(one.label, _LIKELY)]
    return likely or (["planned"] if text.reading.when is not None else [])


def is_shown(label: str) -> bool:
    """Return whether a label only shows or answers something."""
    return label in _ASKED | _OF_ACTS | _TALK | _ONLY_SHOWN or label.removeprefix("fact-") in FACTS


@dataclass(slots=True)
class _Text:
    """Hold what was written, with what decides about what fits it."""

    request: Request
    reading: Reading
    rows: Sequence[Workspace]
    words: tuple[str, ...]
    #: What all of its words name, and what was spoken of before.
    which: Which
    heard: talking.Heard
    #: The connections on which the person can act.
    linked: AbstractSet[str]
    #: The times that it may mean, in epoch seconds; why there is none though one stands there.
    at: Sequence[float | None] = (None,)
    unread: str = ""
    #: What it forbids; whom it leaves alone.
    barred: AbstractSet[str] = frozenset()
    spared: AbstractSet[str] = frozenset()

    @classmethod
    async def of(cls, request: Request, reading: Reading, rows: Sequence[Workspace]) -> _Text:
        """Return a text with everything that is read for it."""
        services, given = request.services, request.given or request.arguments
        names, which = await names_of(request, rows), reading.which
        every = await beside(rows, _which, given, names, reading)
        if every.is_all or not (reading.verb and which.named):
            # Otherwise other clauses may name what is left alone.
            which = every
        states = await services.store.account_states(request.principal)
        linked = {name for name, state in states.items() if state == "active"}
        linked |= {name for name, _ in services.linkless()}
        heard = await talking.heard(request, rows)
        text = cls(request, reading, rows, tuple(map(plain, given)), which, heard, linked)
        text.at, text.unread = await _times(request, reading)
        text.barred, text.spared = text._forbidden()
        return text

    # -- guards ------------------------------------------------------------------------------------------

    @property
    def is_conditional(self) -> bool:
        """Return whether it says under which condition something is to be done."""
        is_set = bool(_CONDITIONS.intersection(self.words))
        is_time = self.reading.when is not None or not _ALSO_TIMES.intersection(self.words[: self._end()])
        return self.reading.how == "if" and (is_set or not is_time)

    @property
    def only_asks(self) -> bool:
        """Return whether it is a question that asks for nothing to be done."""
        first, second = [*self.words, "", ""][:2]
        asks = second in _ASKERS if first in _MAY else not vocabulary.ASKING.intersection(self.words[:3])
        return self.reading.is_question and not asks

    @property
    def _is_held(self) -> bool:
        """Return whether it asks, tells or sets a condition, so that nothing is to be done."""
        is_quoted = self.reading.how == "quote" or self.request.surface.is_quoted
        return is_quoted or self.is_conditional or self.only_asks

    def _end(self, begin: int = 0) -> int:
        """Return where a clause ends."""
        given = self.request.given or self.request.arguments
        return next((at for at in range(begin + 1, len(given)) if given[at - 1][-1] in ",.;:!"), len(given))

    def _forbidden(self) -> tuple[AbstractSet[str], AbstractSet[str]]:
        """Return the labels that stand behind a negation, with their opposites; or whom that leaves alone."""
        named, clause, found = {one.id for one in self.which.named}, tuple[str, ...](), set[str]()
        staying = {
            one.id
            for one in self.which.named
            for at, word in enumerate(self.words)
            if word in STAYING and one.title.casefold().startswith(self.words[at - 1])
        }
        if self.reading.how == "not":
            at = next((at for at, one in enumerate(self.words) if one in vocabulary.NEGATIONS), 0)
            clause = self.words[at : self._end(at)]
            found = {verb for word in clause for verb in _verbs_of(word)} & (_UP | _DOWN)
        inside = {one.id for one in self.which.named if one.title.casefold() in " ".join(clause)}
        is_all = self.which.is_all and not {"all", "everything"}.intersection(clause)
        if not found:
            # ``all off, but leave report on``
            return frozenset(), named if is_all and _BUT.intersection(self.words) else staying
        if inside and (named - inside or is_all):
            return frozenset(), inside
        every = _OPERATIONS | {"job-run", "job-stop", "open", "hours"}
        return every - {"keep"} if found & _DOWN else every, frozenset()

    # -- what only shows ---------------------------------------------------------------------------------

    async def shown(self, label: str) -> Answer | None:
        """Return what answers a label that only shows something; None where it can't."""
        request, which = self.request, self.which
        if label == "hello" and self.reading.is_question and (self.heard.runs or self.heard.workspaces):
            # `how's it going` is about what was spoken of.
            label, which = "status", replace(which, points="it")
        if label in _TALK:
            # Nobody only talks in whose words is an address.
            is_about_any = which.is_named or any(map(naming.to_link, request.arguments))
            return None if is_about_any else suggesting.small_talk(request, label)
        if label in _OF_ACTS:
            return await acts.asked_about(request, label)
        if label in _OF_RUNS and which.jobs and not (which.named or which.runs):
            return replies.hint(fill(talk.NEVER_RUN, name=which.jobs[0].name))
        is_of_runs = label in _OF_RUNS and which.runs and not which.named
        if label in _ASKED - {"eta"} and not is_of_runs:
            if which.courses and not which.named:
                return await self._run("courses")
            about = replace(which, unknown=(), left_out=(), state=which.state or self.reading.which.state)
            is_of_jobs = not about.named and not vocabulary.OF_JOBS.isdisjoint(self.words)
            what = "result" if is_of_jobs and label in {"why", "status"} else label
            what = {"job-status": "result", "job-logs": "output"}.get(what, what)
            reading = replace(self.reading, kind="question", what=what, which=about, how="")
            await request.asked.authorise("status")
            return await questions.answered(replace(request, verb="status"), reading, self.rows)
        commands = self._commands(label)
        if label == "eta" and not (which.is_named or self.heard.runs):
            store, who = request.services.store, request.principal
            is_any = await store.open_operations(who) or any(run.is_going for run in await store.runs(who))
            commands = commands if is_any else []
        if label == "open":
            chosen, _ = self._objects()
            return await self._run("open", chosen[0].id) if len(chosen) == 1 else None
        return await self._run(commands[0]) if commands else None

    async def _run(self, command: str, key: str | None = None) -> Answer:
        parsed = parse(command, NO_COMMANDS)
        folder, (verb, *words) = parsed.folder or "workspace", parsed.words
        await self.request.asked.authorise(verb)
        return await routes.run(self.request.about(folder, verb, tuple(words), key))

    def _commands(self, label: str) -> list[str]:
        """Return the commands of a label that shows something or asks by itself."""
        which, names = self.which, [written((one.title,)) for one in self.which.named]
        if label.startswith("fact-"):
            return [f"help {label}"]
        if label in _OF_RUNS and which.runs and not names:
            return [f"job {_OF_RUNS[label]} {written((run.name,))}" for run in which.runs]
        if names and label in _ASKED | {"open"}:
            return [f"{label if label in {'open', 'eta'} else 'status'} {name}" for name in names]
        if label == "alias":
            news = self.reading.left or which.unknown
            is_word = len(names) == len(news) == 1 and " " not in news[0]
            return [f"alias {names[0]} {written(news)}"] if is_word else []
        command = _WHOLE.get(label, "")
        if command == "help":
            is_of_jobs = not vocabulary.OF_JOBS.isdisjoint(self.words)
            return [" ".join(["help", *(() if is_of_jobs else self._verbs)])]
        if command in {"link", "unlink", "new", "list"} and which.connections:
            return [f"{command} {written((self.request.services.title(which.connections[0]),))}"]
        return [command] if command else []

    @property
    def _verbs(self) -> list[str]:
        """Return the verbs that stand there, in any form."""
        known = VERBS["workspace"].keys() - {"help"}
        said = {verb for word in self.words for verb in _verbs_of(word)}
        return sorted((said & known) | (known & {*self.words}))

    @property
    def asks_how(self) -> bool:
        """Return whether it asks how one does what it says."""
        is_other = self.which.is_named or not vocabulary.OF_JOBS.isdisjoint(self.words)
        return tuple(self.words[:2]) in _HOW and not is_other and len(self._verbs) == 1

    def left_out(self, label: str) -> list[str]:
        """Say what wasn't understood besides what was, and which time something doesn't take."""
        left = self.which.left_out or [" ".join(self.reading.left)] * any(self.reading.left)
        is_seen = (label and label == self.reading.verb) or (label in _ASKED and self.which.is_named)
        phrases = [one for one in left if is_seen or "=" in one]
        if self.reading.when is not None and label in _OPERATIONS - TIMED:
            phrases.append(self.reading.when.text.rstrip(",;.!?"))
        return [fill(talk.LEFT_OUT, names=suggesting.bold(phrases[: replies.FEW]))] if phrases else []

    # -- what is proposed --------------------------------------------------------------------------------

    async def proposals(self, label: str) -> list[Proposal]:
        """Return what a label may do here and now, each tried."""
        label = ("start" if self.which.named else "job-run") if label == "again" else label
        if not is_shown(label) and (self._is_held or label in self.barred or label == "hold"):
            return []
        verb = _WHOLE.get(label, label).split()[-1].removeprefix("job-").removesuffix("-off")
        is_verb = verb in {**VERBS["workspace"], **VERBS["job"]}
        if is_verb and not (await self.request.asked.decide(verb)).allowed:
            return []
        if label in _OPERATIONS:
            return await self._operations(label)
        if label == "hours" and self.reading.how == "not":
            return []
        if label in {"hours", "hours-off"}:
            said = self.reading.hours or (" ".join(self.words) if self.unread else "")
            return await self._hours("off" if label == "hours-off" else said)
        if label in {"job-run", "job-stop"}:
            return await self._of_jobs(label)
        if label in _OF_COURSES:
            return await self._of_courses(label)
        if label == "undo":
            done = await today(self.request.services.context, self.request.principal)
            can = any(one.act.can_be_undone and one.act.undone_at is None for one in done[:1])
            return [self._said("undo")] if can else []
        return [self._said(command) for command in self._commands(label) if command != "eta"]

    def _said(self, command: str) -> Proposal:
        if fact := FACTS.get(command.removeprefix("help fact-")):
            return _asked(kit.button(fact.asks, Press(lists.SAY, command)))
        alone = suggesting.offered(self.request, [command], talk.AS_COMMAND)
        return Proposal(alone, lists.command_buttons([command])[0])

    def _objects(self, label: str = "") -> tuple[list[Workspace], bool]:
        """Return the workspaces that may be meant, and whether exactly they are.

        ``all off`` isn't about those that are off.
        """
        which = self.which
        is_result = which.state == ("running" if label in _UP else "stopped" if label in _OPERATIONS else "-")
        state = "" if is_result else which.state
        if which.named and not (which.is_all and self.spared):
            is_each = len(which.workspaces) > 1 and "or" not in self.words
            return [one for one in which.named if one.id not in self.spared], is_each
        is_of_job = not {"job", "jobs"}.isdisjoint(self.words)
        is_other = which.runs or which.jobs or which.courses or which.quoted or is_of_job
        if is_other or (label in _RARE and not which.points):
            return [], False
        besides = {one.id for one in which.besides} | self.spared
        there = [
            one
            for one in self.rows
            if which.connections in {(), (one.connection,)} and not (state and not targets.is_in(one, state))
        ]
        if which.is_all or state:
            # `all idle ones` aren't all.
            is_some = any(word in vocabulary.UNKNOWABLE for word in self.words)
            is_some = is_some or bool(which.unknown and not which.besides and _BUT.intersection(self.words))
            return [] if is_some else [one for one in there if one.id not in besides], True
        pointed = self.heard.pointed(which, self.rows) if which.points or which.place else []
        # What ends something is about nothing that wasn't spoken of unless it was said.
        is_said = label not in _DOWN or label in self._verbs or self.heard.workspaces or which.points
        return pointed or (there if is_said else []), len(pointed) > 1

    async def _operations(self, label: str) -> list[Proposal]:
        is_unread = label not in _UP and any(one[:1].isdigit() for one in self.reading.left)
        if label in TIMED and (is_unread or (self.unread and (label not in _UP or self.reading.when))):
            return []
        chosen, is_all = self._objects(label)
        spoken = set() if self.which.is_named or is_all else {one.id for one in self.heard.workspaces}
        found: list[Proposal] = []
        for at in self.at if label in TIMED else (None,):
            groups: dict[tuple[str, float | None], list[Workspace]] = {}
            for one in chosen:
                if one.connection in self.linked:
                    groups.setdefault(self._fitted(label, at, one, is_all=is_all), []).append(one)
            for (verb, then), group in groups.items():
                about = self.request.about("workspace", verb, ())
                about = replace(about, flags=frozenset(), at=then, moment=Moment(then) if then else None)
                able = [
                    one
                    for one in await confirmations.needed(about, group)
                    if confirmations.is_possible(about, one)
                ]
                able = [one for one in able if one.id in spoken] or able
                is_later = label in _UP and self.reading.when and self.reading.when.lead not in {"", *_UNTIL}
                if is_all and len(able) > 1 and confirmations.is_known(about) and not is_later:
                    found.append(await self._together(about, able))
                else:
                    found += [await self._single(about, one) for one in able[:MOST]]
        return found

    def _fitted(
        self, label: str, at: float | None, one: Workspace, *, is_all: bool
    ) -> tuple[str, float | None]:
        """Return what a label means for a workspace in its state, with when."""
        is_up = one.state in {State.RUNNING, State.STARTING}
        lead, now = self.reading.when.lead if self.reading.when else "", self.request.services.clock.now()
        if self.reading.how == "not" and (label == "keep" or lead in _UNTIL):
            # ``don't let it stop at 6``, ``don't wait until 6``
            return label, None
        if self.reading.more and is_up and label in {"keep", "start", "stop"}:
            at, label = (one.stop_at or now) + self.reading.more, "keep"
        # Of several that are kept, those that are down aren't meant.
        is_until = label == "keep" and (is_up or not is_all)
        # What alone is named, is to be stopped then and is down is started until then.
        is_until = is_until or (label == "stop" and one.is_down and not is_all and bool(self.which.named))
        if at is not None and (label in _UP or is_until):
            label = ("keep" if one.stop_at else "stop") if is_up else "start"
        return "resume" if label == "start" and one.state is State.SUSPENDED else label, at

    async def _single(self, about: Request, one: Workspace) -> Proposal:
        lead = self.reading.when.lead if self.reading.when else ""
        until = {lead} if self.reading.verb == "stop" else {"", *_UNTIL}
        if about.at is not None and about.verb in _UP | {"restart"} and lead not in until:
            return self._said(f"hours {written((one.title,))} {await hours.once(about)}")
        label = await confirmations.label_of(about, about.verb, line(one.title))
        button = kit.button(line(label, kit.BUTTON), buttons.changing(about.verb, one, at=about.at))
        if about.at is None and about.verb not in {"keep", "cancel"}:
            effects = effects_now(about.services.context, one)
            button = kit.quiet(replies.verb_button(about.verb, one, 0, effects, label))
        if about.verb in {"cancel", "remove"}:
            return _asked(button)
        return Proposal(await confirmations.one(about, one), button)

    async def _together(self, about: Request, able: Sequence[Workspace]) -> Proposal:
        alone = await confirmations.several(
            about, able, are_named=bool(self.which.workspaces), besides=self.which.besides
        )
        label = await confirmations.label_of(about, about.verb, times.listed(line(one.title) for one in able))
        return Proposal(alone, kit.numbered(next(kit.buttons_of(alone.blocks)), 0, line(label, kit.BUTTON)))

    async def _hours(self, said: str) -> list[Proposal]:
        # What only leaves hours out or ends them is about those that there are.
        is_less = said == "off" or said.startswith(("skip", "pause"))
        chosen = self._objects()[0] if said and (self.which.named or is_less) else []
        chosen = await hours.having(self.request, chosen) if is_less else chosen
        if chosen and not is_order(said):
            raise Answered(await hours.ordered(self.request, chosen[0], said))
        return [self._said(f"hours {written((one.title,))} {said}") for one in chosen[:MOST]]

    async def _skipped(self) -> list[Proposal]:
        """Return what leaves the day out of hours on which something named shouldn't start or stop."""
        days = _days_in(self.words, await hours.day_of(self.request))
        kept = await hours.having(self.request, self.which.named) if days else []
        return [self._said(f"hours {written((one.title,))} skip {days[0]}") for one in kept[:MOST]]

    async def _of_jobs(self, label: str) -> list[Proposal]:
        which, services = self.which, self.request.services
        if which.workspaces and not which.runs:
            return []
        states = [vocabulary.RUN_STATES[word] for word in self.words if word in vocabulary.RUN_STATES]
        every = await services.store.runs(self.request.principal) if states else ()
        said = [run for run in every if run.state == states[0]][:1]
        runs = which.runs or (() if which.is_named else said or self.heard.runs)
        if label == "job-stop":
            runs = runs or (() if which.jobs else await services.store.runs(self.request.principal))
            fitting = [run for run in runs if run.is_going and not run.stop_wanted]
            offers = [lists.stop_run(run, services.title(run.connection), force=False) for run in fitting]
        else:
            fitting = [run for run in runs if run.spec is not None]
            offers = [lists.run_again(run, services.title(run.connection)) for run in fitting]
        found = [
            Proposal(alone, next(kit.buttons_of(alone.blocks)))
            for run, alone in zip(fitting, offers, strict=True)
            if run.connection in self.linked
        ]
        able = makers(services, "job") if label == "job-run" and not found else []
        able = [one for one in able if runs_named_jobs(self.request, one)]
        jobs = [written((one.connection, one.name)) for one in which.jobs if one.connection in able]
        return found[:MOST] or [self._said(f"job run {job}") for job in jobs]

    async def _of_courses(self, label: str) -> list[Proposal]:
        """Return what a label does to one's courses: to those that are named, or to any."""
        named = {one.id for one in self.which.courses}
        if label == "skip" and self.which.named and not named:
            return await self._skipped()
        own = await self.request.asked.see(cases.own) if named or not self.which.named else []
        own = [one for one in own if not named or one[0].id in named]
        orders = [(card, self._order(label, card, is_taught=is_taught)) for card, is_taught in own]
        return [self._said(f"card {card.title} {said}") for card, said in orders if said]

    def _order(self, label: str, card: ClassCard, *, is_taught: bool) -> str:
        """Return what is typed after a course's title; "" where that can't be done."""
        now = self.request.services.clock.now()
        if not is_taught and label != "skip":
            return "leave" if label in {"leave", "end-course"} else ""
        # Without a day, it is about the next lesson.
        days = _days_in(self.words, card.day(now))
        first, last = [*(days or lessons.days_of(card, now)[:1]), "", ""][:2]
        orders = {"skip": f"skip {first}", "move": f"move {first} to {last}"}
        said = orders.get(label, f"pause until {first}" if label == "pause-course" else "end")
        try:
            return said if course.order(card, said, now) and (days or label != "pause-course") else ""
        except Refused:
            return ""

    # -- the answer --------------------------------------------------------------------------------------

    async def answer(self, found: Sequence[Proposal], label: str) -> Answer:
        """Answer with what was found; otherwise say why there is nothing, with what can be shown."""
        which, named = self.which, self.which.named
        is_held = bool(self.barred) or label == "hold"
        if is_held and not found and named:
            found = await self._skipped() or await self.proposals("keep")
        is_quiet = is_held or self._is_held or self.unread
        if not (found or is_quiet) and len(named) == 1:
            return await self._state_of(named[0], label)
        name = named[0].title if named else ""
        if self.is_conditional and not self.only_asks:
            head = fill(talk.CONDITIONAL_NAMED, name=name) if name else talk.CONDITIONAL
        elif is_held and not self.only_asks:
            head = fill(talk.LEFT_ALONE, name=name) if name else talk.TALK["left_alone"]
        elif len(found) == 1:
            return replies.with_remarks(found[0].alone, self.left_out(label))
        else:
            head = talk.LIKELY if found else self.unread or talk.NOT_UNDERSTOOD
        is_about = found or which.is_named or self.reading.verb or self.reading.when or len(self.words) > 1
        if not found and self.request.folder == "job" and len(self.words) == 1:
            # It may be the name of a run that nobody has seen here yet.
            return await self._run(f"job status {written(self.request.arguments)}")
        if not (is_about or any(map(_verbs_of, self.words))):
            return talking.not_understood(self.request)
        shows = [*(self._commands("status") if which.named or which.runs or which.connections else ())]
        shows += ["courses"] if which.courses else []
        labels = {one.button["text"]["text"] for one in found}
        more = [one for one in lists.command_buttons(shows) if one["text"]["text"] not in labels]
        pressed = [*(one.button for one in found), *more] or [replies.list_button()]
        pressed = [kit.numbered(one, at, one["text"]["text"]) for at, one in enumerate(pressed[:MOST])]
        about = Referents(tuple(one.id for one in named), tuple(run.id for run in which.runs), what=label)
        said = replies.with_remarks(replies.hint(head, pressed), self.left_out(label) if found else [])
        return replace(said, about=replace(about, takes_press=bool(found)))

    async def _state_of(self, one: Workspace, label: str) -> Answer:
        """Show the one workspace that is named, where nothing that was said fits its state."""
        self.request.spoken.of([one])
        is_open = label in _UP and one.state is State.RUNNING and self.reading.when is None
        if is_open and not (self.which.runs or self.which.jobs):
            return await self._run("open", one.id)
        await self.request.asked.authorise("status")
        about = self.request.about("workspace", "status", (), one.id)
        return await as_it_is(about, one, "" if label in _OPERATIONS else talk.NOT_UNDERSTOOD)


def _asked(button: Element) -> Proposal:
    """Return what is proposed by its button alone."""
    said = Markup(f"*{line(button['text']['text'])}*")
    return Proposal(replies.answer(fill(talk.AS_COMMAND, commands=said), [button]), button)


def _which(given: tuple[str, ...], names: Names, reading: Reading) -> Which:
    return which_of(pieces_of(given, names), names, is_question=reading.is_question)


async def _times(request: Request, reading: Reading) -> tuple[Sequence[float | None], str]:
    """Return the moments that a text may mean, and why there is none though a time stands there."""
    if reading.when is None:
        return (None,), talk.CONDITIONAL if reading.time.is_unread else ""
    text = reading.when.text.rstrip(",;.!?")
    found = await timers.typed_moment(request.services, request.principal, text)
    if isinstance(found, Moment):
        return (found.at,), ""
    options = [await timers.typed_moment(request.services, request.principal, one) for one in found.options]
    either = tuple(one.at for one in options if isinstance(one, Moment))
    return either or (None,), "" if either else replies.unread(found, text, SOONEST_SECONDS)


@lru_cache(1_000)
def _verbs_of(word: str) -> frozenset[str]:
    """Return the verbs that a word means, also in another form: ``stopped``, ``turning``."""
    known = [*SYNONYMS["workspace"].items(), *((verb, verb) for verb in _UP | _DOWN)]
    known += [(word, "start") for word, verb in SYNONYMS["job"].items() if verb == "run"]
    known += [
        (first, verb)
        for first, every in vocabulary.OPENINGS.items()
        for _, verb in every
        if first not in {"get", "go", "take"}
    ]
    return frozenset(
        verb
        for one, verb in known
        if word == one or (word.startswith(one) and len(one) >= 3 and len(word) - len(one) <= 4)
    )


def _days_in(words: Sequence[str], today: date) -> list[str]:
    """Return the days that words name, in their order."""
    given = [word.removesuffix("'s") for word in words]
    found = [
        moments.day_of(" ".join(given[at : at + 2]), today) or moments.day_of(word, today)
        for at, word in enumerate(given)
    ]
    return [*dict.fromkeys(day.isoformat() for day in found if day is not None)]
