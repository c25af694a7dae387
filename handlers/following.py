"""What is said after a question or an act and goes on with it: *make that 6*, *report too*, *not that*.

The last request is a frame: a verb, what it is about, and when. What is said fills or replaces some of
that, and becomes the words of a request of its own, after what was done was taken back where that has to go first.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from bot.domain import hours as rules
from bot.domain import moments
from bot.domain.acts import Act, Undone
from bot.domain.moments import LEADS, Moment
from bot.domain.notices import Answer, Spoken
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, replies
from bot.messages.blocks.kit import Press
from bot.messages.blocks.lists import SAY
from bot.messages.blocks.runs import again_button
from bot.messages.texts import acts as words
from bot.providers import base
from bot.services import acts as use_cases
from bot.services import naming, runs
from bot.support.cleaning import fold
from handlers import acts, routes, talking
from handlers.command_line import NO_COMMANDS, parse, plain, written
from handlers.connections import makers
from handlers.job import run_again
from handlers.language import times, vocabulary
from handlers.language.names import Names, Which, names_of, pieces_of, which_of
from handlers.language.reading import TIMED, Reading, read
from handlers.language.words import ends_clause, opening_of
from handlers.preferences import templates
from handlers.request import Request
from handlers.talking import Heard
from handlers.workspace import targets
from handlers.workspace.timers import typed_moment

#: What joins words to what was said before, by what it does to that; words by blanks, phrases by commas.
_PHRASES: Final[Mapping[str, str]] = {
    "instead": """no, nope, nah, wait, no wait, hold on, sorry, oops, whoops, i meant, i mean, i was meaning,
        i meant to say, wrong one, not that one, that was wrong, actually, rather, instead, scratch that,
        on second thought, on second thoughts, forget it, never mind, my mistake, make it, make that,
        let's make it, better, should be, nein, nee, doch, lieber, doch lieber, stattdessen, erst""",
    "also": """also, too, as well, and, same, the same, same for, same with, the same for, the same with,
        likewise, ditto, plus, do the same, neither, auch, und, ebenso""",
    "out": """not, and not, but not, also not, except, except for, besides, without, apart from, other than,
        excluding, leave out, leave, and leave, all but, everything but, nicht, ausser, außer, ohne""",
    "don't": "don't, dont, do not",
    "back": """bring it back, i need it back, i want it back, bring that back, get it back, put it back,
        turn it back on, cancel that start, cancel that stop, cancel the start, cancel the stop""",
    "all": "both, both of them, all, all of them, everything, all three",
    "now": "now, right now, immediately, jetzt",
    "later": "later, after that",
    "earlier": "earlier, before that",
    "am": "am, in the morning, morning, morgens",
    "pm": "pm, in the afternoon, in the evening, at night, afternoon, evening, abends, nachmittags",
    "": """but, yes, yeah, yep, ok, okay, sure, fine, then, is, are, will, would, do, be, enough, please, just,
        only, oh, ah, ach, hm, hmm, well, it's, that's, i want, i need, i, let's, is enough, will do,
        is fine, anyway""",
}
_ROLES: Final = {tuple(phrase.split()): role for role, text in _PHRASES.items() for phrase in text.split(",")}
_LONGEST: Final = max(map(len, _ROLES))
#: Questions whose choices are no workspaces.
_OPEN: Final = frozenset({"new", "link", "unlink"})
#: Begin what can only be about something said or done before.
_BEGIN: Final = frozenset({"make", "except", "with", "without", "no", "nope", "wait", "oops"})
#: Longer texts are requests of their own.
_MOST_WORDS: Final = 16
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w*=[\w.,:/+-]*")
_NUMBERS: Final = {
    word: str(number)
    for number, word in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 2)
}
#: An hour that may be one of each half of a day.
_OF_TWELVE: Final = re.compile(r"([1-9]|1[0-2])[:.][0-5][0-9]")
_HALF_A_DAY: Final = 720
_WEEK: Final = 7
_STARTS: Final = frozenset({"start", "restart", "resume"})
_ENDS: Final = frozenset({"stop", "suspend", "restart"})
_UNTIL: Final = frozenset({"", "for", "until", "till", "til", "'til"})
#: What acts are as commands, where their word isn't one.
_VERBS: Final = {"timer": "stop", "needed": "keep", "force": "stop", "run": "start"}


@dataclass(frozen=True, slots=True)
class _Frame:
    """Hold the last request: its verb, what it was about, when, and what was done for it, if anything.

    ``at`` is in epoch seconds, ``seconds`` what was said if that was a length.
    """

    verb: str
    objects: tuple[Workspace, ...] = ()
    at: float | None = None
    seconds: float | None = None
    hours: rules.Wanted | None = None
    done: tuple[Act, ...] = ()
    is_asked: bool = False
    #: Which half of the day is meant was asked.
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """Hold what a text says besides what joins it to what was said before, by ``roles``.

    ``own`` is a request of its own, ``rest`` what is in none of the roles; ``out`` is what it leaves out.
    """

    roles: AbstractSet[str]
    own: tuple[str, ...]
    rest: tuple[str, ...]
    verb: str
    which: Which
    out: Which
    when: moments.Phrase | None
    number: str
    day: str
    is_strange: bool
    #: The first word that isn't mere courtesy.
    first: str


async def followed(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> Answer | tuple[str, ...] | None:
    """Return the words that are meant, or the answer; None for what stands on its own."""
    given = request.arguments
    if not 0 < len(given) <= _MOST_WORDS or request.surface.channel_id is None:
        return None
    role = _ROLES.get(_phrase(given, 0), "")
    is_joined = role in {"all", "now"} or (role in {"instead", "also"} and reading.kind != "talk")
    if reading.is_full and not is_joined and reading.verb != "keep":
        return None
    heard = await talking.heard(request, rows)
    if heard.about.ask == "which" and heard.about.verb in _OPEN:
        return await _chosen(request, reading, heard.about)
    frame = await _done(request, heard, rows) or await _spoken(request, heard, rows)
    if frame is None or (role == "all" and not frame.is_asked):
        return None
    said = _said(given, request.folder, await names_of(request, rows))
    return await _Turn(request, frame, said, heard, rows).merged()


# -- what was said before ----------------------------------------------------------------------------------


async def _done(request: Request, heard: Heard, rows: Sequence[Workspace]) -> _Frame | None:
    """Return what was done in the last two minutes, unless something was asked since."""
    place = (request.surface.channel_id or "", request.surface.thread_ts or "")
    recent = await request.services.store.recent_acts(request.principal, *place)
    if heard.about.ask or heard.about.takes_press or not recent or not recent[0].can_be_undone:
        return None
    # What one press did to several is one request.
    act, press = recent[0], recent[0].interaction.partition("/")[0]
    done = [one for one in recent if one is act or (press and one.interaction.startswith(f"{press}/"))]
    keys = {one.subject for one in done}
    objects = tuple(one for one in rows if one.id in keys)
    verb, length = act.action.rpartition(".")[2], (act.until or 0.0) - act.done_at
    # A clock's times are whole minutes; a length rarely ends on one.
    is_clock = act.until is None or (act.until % 60.0 == 0.0 and length % 60.0 >= 1.0)
    mine = await request.services.store.rules(request.principal) if verb == "hours" else ()
    made = [one.wanted for one in mine if f"rules {one.id}" in act.became]
    wanted = made[0] if len(made) == 1 else None
    seconds = None if is_clock else length
    verb = "keep" if verb == "timer" and act.until is None else _VERBS.get(verb, verb)
    return _Frame(verb, objects, act.until, seconds, wanted, tuple(done))


async def _spoken(request: Request, heard: Heard, rows: Sequence[Workspace]) -> _Frame | None:
    """Return what was asked or shown: by a button's command as it is typed, or by its verb."""
    about, press = heard.about, Press.of_text(heard.about.ask)
    typed = parse(press.key if press.name == SAY else about.verb, NO_COMMANDS).words
    names = Names(rows, heard.runs, request.services.connections)
    reading = read(typed, request.folder, routes.verbs_of_folders(), names) if typed else Reading()
    objects = tuple(heard.workspaces or reading.which.named)
    if not objects and not heard.runs:
        return None
    found: Moment | None = Moment(press.at or about.times[0]) if press.at or about.times else None
    if reading.when is not None:
        read_ = await typed_moment(request.services, request.principal, reading.when.text)
        found = read_ if isinstance(read_, Moment) else None
    at, seconds = (None, None) if found is None else (found.at, found.seconds)
    is_asked, wanted = bool(about.ask) or about.takes_press, rules.read(reading.hours)
    verb, is_open = reading.verb or "status", len(about.times) > 1
    return _Frame(verb, objects, at, seconds, wanted, is_asked=is_asked, is_open=is_open)


# -- what is said ------------------------------------------------------------------------------------------


def _said(given: tuple[str, ...], folder: str, names: Names) -> _Said:
    """Part a text into slots and roles."""
    named = {at for span in names.spans(given) for at in range(span.begin, span.end)}
    found = times.find(given, named)
    taken, marks = named | found.places, list[str]()
    while (at := len(marks)) < len(given):
        free = next((place for place in range(at, len(given)) if place in taken), len(given))
        phrase = _phrase(given[:free], at)
        # What is left out is so up to the end of its clause.
        is_out = bool(marks) and marks[-1] in {"out", "out of"} and not ends_clause(given[at - 1])
        other = "time" if at in found.places else "out of" if is_out else "-"
        marks += [_ROLES[phrase]] * len(phrase) if phrase else [other]
    parts = {
        mark: tuple(word for word, one in zip(given, marks, strict=True) if one == mark)
        for mark in ("-", "out of")
    }
    opening = opening_of(parts["-"], folder, routes.verbs_of_folders()) if parts["-"] else None
    verb = opening.verb if opening is not None and not _is_name(parts["-"][0], names) else ""
    kept = opening.rest if opening is not None and verb else parts["-"]
    which, out = (which_of(pieces_of(one, names), names, is_question=True) for one in (kept, parts["out of"]))
    numbers = [_NUMBERS.get(plain(word), plain(word)) for word in kept]
    numbers = [one for one in numbers if one.isdecimal()]
    strange = [word for word in map(plain, which.unknown) if word not in LEADS and not word.isdecimal()]
    edge = [at for at, mark in enumerate(marks) if mark in {"-", "time"}]
    inner = [(given[at], marks[at]) for at in range(edge[0], edge[-1] + 1)] if edge else []
    own = tuple(word for word, mark in inner if mark not in {"out", "out of"})
    slots = {"-", "time", "out", "out of"}
    rest = tuple(word for word, mark in zip(given, marks, strict=True) if mark in slots)
    number = numbers[0] if len(numbers) == 1 and found.when is None else ""
    day = next((plain(word) for word in kept if moments.is_day(plain(word))), "")
    strange = [word for word in strange if word != day]
    first = next((plain(word) for word, mark in zip(given, marks, strict=True) if mark), "")
    return _Said(frozenset(marks), own, rest, verb, which, out, found.when, number, day, bool(strange), first)


def _phrase(given: Sequence[str], begin: int) -> tuple[str, ...]:
    """Return the longest phrase with a role that begins at a place; none if none does."""
    folded = tuple(map(plain, given[begin : begin + _LONGEST]))
    return next((folded[:count] for count in range(len(folded), 0, -1) if folded[:count] in _ROLES), ())


def _is_name(word: str, names: Names) -> bool:
    return bool(names.spans((word,)))


class _Turn:
    """Merge what is said into the last request."""

    def __init__(
        self, request: Request, frame: _Frame, said: _Said, heard: Heard, rows: Sequence[Workspace]
    ) -> None:
        self.request = request
        self.frame = frame
        self.said = said
        self.heard = heard
        self.rows = rows
        self.is_question = request.arguments[-1].endswith("?")

    async def merged(self) -> Answer | tuple[str, ...] | None:
        """Return the words that are meant, or the answer; None for what stands on its own."""
        frame, said, roles = self.frame, self.said, self.said.roles
        if "don't" in roles:
            return await self._forbidden()
        if "back" in roles and not said.rest:
            return await self._back()
        if (special := await self._of_hours() or await self._of_one_act()) is not None:
            return special
        if said.verb:
            return await self._own()
        names = [] if said.is_strange else self._objects()
        when = () if said.is_strange or not (names or self._is_about_it()) else await self._when()
        if said.out.is_named and not (names or when):
            return await self._without()
        if names and self.is_question:
            return ("status", *names) if "also" in roles else None
        if names and (frame.is_asked or roles & {"also", "instead", "out"} or not said.which.is_named):
            return await self._instead((frame.verb, *names, *(when or await self._same_time())))
        if "now" in roles and frame.at is not None and self._is_about_it():
            return await self._instead(self._command())
        if when:
            return await self._later(when)
        if not frame.done or said.first not in _BEGIN or self.is_question:
            return None
        name = frame.objects[0].title if frame.objects else frame.done[0].name
        undo = kit.button(words.UNDO, "undo", frame.done[0].id)
        return replies.hint(kit.fill(words.NOT_TAKEN, name=name), [undo])

    # -- what is wanted now --------------------------------------------------------------------------------

    def _command(self, when: Sequence[str] = (), verb: str = "") -> tuple[str, ...]:
        """Return the last request, at another time."""
        return (verb or self.frame.verb, *self._labels(self.frame.objects), *when)

    def _labels(self, found: Sequence[Workspace]) -> list[str]:
        return targets.labels_of(self.request, found, self.rows)

    def _is_about_it(self) -> bool:
        """Return whether nothing else is named or pointed at than what it was about."""
        which, ours = self.said.which, self.frame.objects
        is_other = which.runs or which.jobs or which.place or which.points in {"other", "them"}
        return not is_other and set(which.named) <= set(ours) and "all" not in self.said.roles

    def _objects(self) -> list[str]:
        """Return what is meant now, as it is called; nothing where that isn't said or can't be told."""
        which, frame = self.said.which, self.frame
        if which.named or which.runs or which.jobs:
            others = [*(run.name for run in which.runs), *(job.name for job in which.jobs)]
            return [*map(self._called, which.workspaces), *others]
        if "all" in self.said.roles or which.points == "them":
            return self._labels(frame.objects)
        found = self.heard.pointed(which, self.rows) if which.place or which.points == "other" else []
        if which.points == "other" or which.connections:
            found = self._elsewhere(which.connections, is_there=True) or found
        return self._labels(found) if len(found) == 1 else []

    def _called(self, group: Sequence[Workspace]) -> str:
        """Return a name so that it means those of its workspaces that were asked about, or are there."""
        places = self.said.which.connections
        asked = [
            one for one in group if one.connection in places or (not places and one in self.frame.objects)
        ]
        found = group if len(group) == 1 else asked
        return self._labels(found)[0] if len(found) == 1 else group[0].title

    def _elsewhere(self, places: Sequence[str], *, is_there: bool) -> list[Workspace]:
        """Return what was asked about and is at places, or isn't; else what is called the same elsewhere."""
        ours = self.frame.objects
        titles = {fold(one.title) for one in ours}
        among = ours if self.frame.is_asked else [one for one in self.rows if fold(one.title) in titles]
        among = [one for one in among if self.frame.is_asked or one not in ours]
        return [one for one in among if not places or (one.connection in places) is is_there]

    async def _same_time(self) -> tuple[str, ...]:
        """Return the last request's time, as it is typed."""
        frame = self.frame
        if frame.hours is not None:
            return tuple(rules.written(frame.hours).split())
        if frame.at is None or frame.verb not in TIMED:
            return ()
        if frame.seconds is not None:
            return (self._lead("in"), f"{frame.seconds / 60.0:.0f}", "min")
        lead, day, clock = await self._at(frame.at)
        # Which half of the day is meant is asked again.
        return (lead, day, str(int(clock[:2]) % 12)) if frame.is_open else (lead, day, clock)

    def _lead(self, lead: str) -> str:
        """Return what announces a time for the verb: an end, or when it is done."""
        if self.frame.verb in _STARTS | {"keep"}:
            return "for" if lead == "in" else "until"
        return lead

    async def _at(self, at: float) -> tuple[str, str, str]:
        zone = await self.request.services.store.zone(self.request.principal)
        local = datetime.fromtimestamp(-(-at // 60.0) * 60.0, zone)
        today = datetime.fromtimestamp(self.request.services.clock.now(), zone).date()
        return (self._lead("at"), _day(local.date(), today), f"{local:%H:%M}")

    async def _when(self) -> tuple[str, ...]:
        """Return the time that is meant now, as it is typed: another one is near the last."""
        said, frame, services = self.said, self.frame, self.request.services
        planned = frame.objects[0].stop_at if len(frame.objects) == 1 else None
        last, text = frame.at or planned, _unled(said.when.text if said.when else "")
        minute = moments.minute_of(said.number or text)
        if said.number and frame.seconds is not None:
            return (self._lead("in"), said.number, "h" if round(frame.seconds / 60.0) >= 60 else "min")
        if last is None:
            if said.number:
                return ("at", said.number) if frame.is_asked and frame.verb in TIMED else ()
            return (said.when.lead, *text.split()) if said.when else ()
        zone = await services.store.zone(self.request.principal)
        day = datetime.fromtimestamp(last, zone).date()
        length = await typed_moment(services, self.request.principal, text) if text else None
        if said.roles & {"later", "earlier"} and isinstance(length, Moment) and length.seconds:
            return await self._at(last + length.seconds * (1 if "later" in said.roles else -1))
        now = await services.store.now()
        today = datetime.fromtimestamp(now, zone).date()
        if said.day and not text and not said.number:
            day = moments.day_of(said.day.replace("tonight", "today"), today) or day
            at = await self._at(last)
            return (at[0], _day(day, today), at[2])
        if minute is not None and frame.is_open and minute[1]:
            return (self._lead("at"), _day(day, today), said.number or text)
        days: Sequence[int] = (-1, 0, 1)
        near = last
        if minute is not None:
            is_open = minute[1] or _OF_TWELVE.fullmatch(text)
            minutes = [minute[0], (minute[0] + _HALF_A_DAY) % (2 * _HALF_A_DAY)] if is_open else [minute[0]]
        elif said.roles & {"am", "pm"} and not said.when:
            # On the same day, or else on the next.
            days, near, local = (0, 1), now, datetime.fromtimestamp(last, zone)
            minutes = [(local.hour % 12 + 12 * ("pm" in said.roles)) * 60 + local.minute]
        else:
            lead = said.when.lead if said.when else ""
            is_length = isinstance(length, Moment) and length.seconds is not None
            return (self._lead("in" if is_length else "at"), *text.split()) if lead or text else ()
        found = [moments.instant(day + timedelta(days=ahead), one, zone) for ahead in days for one in minutes]
        return await self._at(min((one for one in found if one > now), key=lambda one: abs(one - near)))

    # -- what becomes of what was done ---------------------------------------------------------------------

    async def _undone(self, done: Sequence[Act]) -> Answer | None:
        """Take acts back; return why one couldn't be."""
        asked, found = self.request.asked, None
        for act in done:
            first = replace(asked, interaction=asked.interaction and f"{asked.interaction}/{act.id}")
            found = await first.to(use_cases.undo, act.id)
            if found.inverse.undone is not Undone.BACK:
                break
        is_back = found is None or found.inverse.undone is Undone.BACK
        return None if is_back or found is None else acts.taken_back(self.request, found)

    async def _instead(self, then: tuple[str, ...], *, is_other: bool = True) -> Answer | tuple[str, ...]:
        """Take back what was done before what is wanted in its place; ``is_other`` is done in any case."""
        why = None if "also" in self.said.roles else await self._undone(self.frame.done)
        if why is None or not is_other:
            return why or then
        answer = routes.text.get("words")
        assert answer is not None, "there is one"
        text = written(then)
        done = await answer(replace(self.request, arguments=then, given=then, text=text))
        return kit.answer([*why.blocks, *done.blocks], about=done.about)

    async def _later(self, when: tuple[str, ...]) -> Answer | tuple[str, ...] | None:
        """Return the last request at another time, or until then."""
        verb, is_until = self.frame.verb, when[0] in _UNTIL
        if verb not in TIMED:
            is_one = is_until and len(self.frame.objects) == 1
            return self._command(when, "keep") if is_one else None
        if verb in _STARTS and is_until:
            return self._command(when)
        return await self._instead(self._command(when), is_other=False)

    async def _own(self) -> Answer | tuple[str, ...] | None:
        """Return a request of its own, without what joins it to the last one."""
        own, frame, given = self.said.own, self.frame, self.request.arguments
        is_on = self.said.verb == "keep" and frame.verb in _ENDS and frame.at is None and bool(frame.done)
        if is_on and not self.said.when and self._is_about_it():
            return await self._taken_back(frame.done)
        is_no = plain(given[0]) == "no" and own == given[1:] and not ends_clause(given[0])
        if self.is_question or is_no or own == given:
            return None
        is_same = "instead" in self.said.roles and self.said.verb == frame.verb
        return await self._instead(own) if is_same else own

    async def _without(self) -> Answer | tuple[str, ...] | None:
        """Leave some of the last request out, or take that back; of two alike the other one is meant."""
        frame, out = self.frame, self.said.out
        named = set(out.named) or {one for one in frame.objects if one.connection in out.connections}
        left = [one for one in frame.objects if one not in named]
        if frame.is_asked:
            rest = (frame.verb, *self._labels(left), *await self._same_time())
            return rest if left else await acts.no(self.request)
        done = [act for act in frame.done if act.subject in {one.id for one in named}]
        other = [] if out.named else self._elsewhere(out.connections, is_there=False)
        if done and len(other) == 1:
            return await self._instead((frame.verb, *self._labels(other)))
        if frame.done and not done and out.connections and frame.objects:
            title = self.request.services.title(frame.objects[0].connection)
            return replies.hint(self.request.filled(words.NOT_ELSEWHERE, frame.objects[0], title=title))
        return await self._taken_back(done) if done else None

    async def _taken_back(self, done: Sequence[Act]) -> Answer:
        """Take acts back and say so."""
        if why := await self._undone(done[:-1]):
            return why
        return acts.taken_back(self.request, await self.request.asked.to(use_cases.undo, done[-1].id))

    async def _forbidden(self) -> Answer | None:
        """Leave alone what was asked, or take back what was done."""
        frame, said = self.frame, self.said
        if said.verb not in {"", frame.verb} or not (said.which.named == [] or self._is_about_it()):
            return None
        if frame.is_asked:
            return await acts.no(self.request)
        named = {one.id for one in said.which.named}
        done = [act for act in frame.done if not named or act.subject in named]
        return await self._taken_back(done) if done else None

    async def _back(self) -> Answer | tuple[str, ...]:
        """Take back what was done, or start what has stopped since."""
        done = self.frame.done
        if not done:
            return self._command(verb="start")
        found = await self.request.asked.to(use_cases.undo, done[0].id)
        is_down = found.inverse.undone is not Undone.BACK and found.inverse.then == "start"
        return self._command(verb="start") if is_down else acts.taken_back(self.request, found)

    # -- what only some acts have --------------------------------------------------------------------------

    async def _of_hours(self) -> Answer | tuple[str, ...] | None:
        frame, rest = self.frame, [plain(word) for word in self.said.rest]
        if frame.hours is None or not rest or (order := _hours(frame.hours, rest)) is None:
            return None
        return await self._instead(self._command(rules.written(order).split(), "hours"), is_other=False)

    async def _of_one_act(self) -> Answer | tuple[str, ...] | None:
        """Return another name, or a run with other variables: in its place until it was sent."""
        (act, *_), said = self.frame.done or (None,), [word.rstrip(",") for word in self.said.rest]
        if act is None or not said:
            return None
        if act.action == "workspace.alias" and plain(self.request.arguments[0]) == "make":
            return self._command([" ".join(said)])
        said = [word for word in said if plain(word) != "with"]
        if act.action != "job.run" or not said or not all(map(_VARIABLE.fullmatch, said)):
            return None
        run = await self.request.asked.see(runs.owned, "run", act.errand)
        takes = self.request.services.context.need(run.connection).need(base.Runs).variables_key
        if not takes or run.spec is None:
            return None
        if why := await self._undone([act]):
            return replies.with_button(why, again_button(run, said))
        return await run_again(replace(self.request, target=" ".join([run.id, *said])))


def _day(day: date, today: date) -> str:
    """Return a day as it is typed."""
    ahead = (day - today).days
    return {0: "today", 1: "tomorrow"}.get(ahead) or (f"{day:%A}" if 0 < ahead < _WEEK else day.isoformat())


def _unled(text: str) -> str:
    """Return a time without what announces it."""
    first, _, rest = text.partition(" ")
    return _unled(rest) if first.casefold() in LEADS and rest else text


def _hours(wanted: rules.Wanted, said: Sequence[str]) -> rules.Wanted | None:
    """Return hours as they are wanted now; None for anything else."""
    days = " ".join(sorted(wanted.days))
    if said[0] in {"except", "without", "not", "but"}:
        left = wanted.days.difference(*map(rules.days_of, said[1:]))
        return rules.Wanted(left, wanted.starts, wanted.stops) if left and left != wanted.days else None
    lead = next((word for word in ("at", "until", "till") if word in said), "")
    at = " ".join(said[said.index(lead) + 1 :] if lead else said)
    is_stop = "stop" in said or lead in {"until", "till"}
    start, stop = rules.clock(wanted.starts), rules.clock(wanted.stops)
    usual = f"{start}-{stop}" if stop else start
    if (other := rules.read(f"{at.replace(' to ', '-')} {usual}")) is not None:
        return other
    if "-" not in at and "to" not in said:
        at = f"{start}-{at}" if is_stop or wanted.starts is None else f"{at}-{stop}" if stop else at
    return rules.read(f"{days} {at}")


async def _chosen(request: Request, reading: Reading, about: Spoken) -> tuple[str, ...] | None:
    """Return the request with what was chosen: a connection, or a template of the only one that has it."""
    services = request.services
    given = tuple(word for word in request.given if plain(word) not in vocabulary.BEFORE_A_NAME)
    if naming.leading_connection(given, services.connections)[0] is not None:
        return (about.verb, *given)
    if about.verb != "new" or reading.kind != "nothing" or reading.which.named:
        return None
    wanted = fold(" ".join(given))
    found = [
        (about.verb, place, one.value)
        for place in makers(services, "workspace")
        for one in await templates(services, request.principal, place)
        if wanted in {fold(one.label), fold(one.value)}
    ]
    return found[0] if len(found) == 1 else None
