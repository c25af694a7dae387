"""Free text: any message that isn't a command. Questions are answered, and actions are offered as buttons.

Names, verbs and times are looked for separately among the words (``handlers.requests.finding``), without any
grammar to connect them. No action is offered for a question, or for a message that contains *not*, a
condition, or a time that can't be understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.domain import time_parsing
from bot.domain.courses import ClassCard
from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.domain.time_parsing import Unread
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import Workspace
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.texts import cards, talk
from bot.messages.verb import (
    Effect,
    Verb,
    find_verb,
    is_operation,
    list_synonyms,
    list_verbs,
    to_present_name,
)
from bot.services import course_changes, naming
from bot.services.feasibility import get_stop_effects
from bot.store import runs as run_rows
from bot.store import workspaces
from bot.support.pool import run_beside_loop
from handlers.requests import routes, suggestions, typing_mistakes
from handlers.requests.command_line import Quoted, fold_word, join_words
from handlers.requests.finding import (
    Found,
    Time,
    find_hours,
    find_names,
    find_similar,
    find_times,
    find_verbs,
    is_like_time,
    is_like_zone,
    is_past,
    list_free,
    list_names,
)
from handlers.requests.request import Answered, Request
from handlers.requests.synonyms import split_words
from handlers.requests.vocabulary import EVERYTHING, RUNS
from handlers.schedule_words import refuse_schedule
from handlers.workspace import confirmations, targets
from handlers.workspace.class_cards import show_own_courses
from handlers.workspace.course_pages import show_courses

#: Maximum number of buttons offered.
MAX_OFFERS: Final = 5
#: In messages of up to this many words, unknown words after a verb are taken for a mistyped name.
_MAX_COMMAND_WORDS: Final = 4
#: Maximum number of workspaces, runs and courses that one message can name.
_MAX_NAMED: Final = 20
#: Maximum number of unknown words that are compared with all names.
_MAX_STRANGE: Final = 12
#: Words that keep Usher from offering an action, because they suggest that the user doesn't want the action,
#: doesn't want it now, or is making exceptions.
_BARS: Final = split_words(
    """only too not don't dont doesn't didn't isn't aren't won't can't cannot never no nothing without leave
    except but besides apart aside excluding than neither nor unless if once whenever while because instead
    case long provided already almost nearly did was were been
    after before when until till used stay stays hold itself automatically longer more extend
    another extra prolong meant mean scratch sorry oops rather his her their theirs someone's
    nicht kein keine keinen nein nie niemals ausser ohne wenn falls sobald nach nachdem vor bevor solange
    pas jamais ne sans sauf si quand nunca sin excepto"""
)
_QUESTIONS: Final = split_words(
    """is are was were has have had did does do am why when where how what whats which who whose should
    isn't aren't didn't wie wann warum wo ist"""
)
_ASKING: Final = split_words("what whats where why how which who")
#: Openings of polite requests. These aren't questions even if they end in a question mark.
_POLITE: Final = ("can you", "could you", "would you", "will you", "can u", "please")
_GREETINGS: Final = split_words("hi hello hey hallo morning moin usher ok okay so um uh and well")
_THANKS: Final = split_words("thanks thank thx cheers ta danke merci gracias great perfect 👍 🙏 :+1: :pray:")
_OWN: Final = split_words("it that let here there today tomorrow tonight")
#: Words that make a start wait for capacity.
_WAITING: Final = split_words("wait queue queued")
_UNTIL: Final = split_words("for until till til 'til")
#: Words that may come before a name.
_ARTICLES: Final = split_words("my our the")
#: Filler words. These mean nothing here, so they are never taken for mistyped names.
_FILLERS: Final = split_words(
    """my the a an all every this that these those it i i'm im i've me we you u your our please pls plz kindly
    just now wait
    again also with from into onto and or of on in at to for up off out by as so be have has will would
    could can need want let make get give put set good fine ready link server workspace machine thing things
    job jobs run runs course class lesson other others anything something really still running done bitte por
    favor la le"""
)


@dataclass(slots=True)
class _Part:
    verb: Verb | None = None
    is_heard: bool = False
    things: list[object] = field(default_factory=list)
    times: list[Time] = field(default_factory=list)

    @property
    def workspaces(self) -> list[Workspace]:
        """Return the first few workspaces that this part names.

        A longer list would be too much to choose from.
        """
        own = {one.id: one for one in self.things if isinstance(one, Workspace)}
        return [*own.values()][:_MAX_NAMED]


@routes.text("free")
async def answer(request: Request) -> Answer:
    """Answer a sentence: show the things that it asks about, or offer buttons for what it may request."""
    words, store = request.arguments, request.services.store
    if any(word.startswith("<@") for word in words):
        return replies.hint("I only work with your own workspaces, so I haven't done anything.")
    first = fold_word(words[0]) if words else ""
    operation = to_present_name(request.folder, list_synonyms(request.folder).get(first, first))
    operation = operation if request.folder == "workspace" and is_operation(operation) else ""
    if operation:
        await typing_mistakes.refuse_flags(replace(request, verb=operation))
    _, rows = request.notes.listed or ((), await store.perform(workspaces.read_workspaces, request.principal))
    zone, now = await store.zone(request.principal), await store.now()
    named = [*await _list_links(request, rows), *await _list_others(request)]
    named += list_names(rows, request.services.connections if any("@" in word for word in words) else ())
    found, strange = await run_beside_loop(rows, _find, words, named, zone, now)
    unknown = _find_unknown(request, operation, found, strange)
    is_timed = any(isinstance(one.what, Time) for one in found)
    if unknown and is_timed and (await targets.match_name(request, unknown, rows)).rows:
        # An offer for a similar name has to carry the time.
        unknown = ""
    if unknown:
        about = request.redirect("workspace", operation or "status", (unknown,))
        return await targets.answer_name(about, unknown)
    found += await run_beside_loop(rows, find_similar, words, strange[:_MAX_STRANGE], named)
    found = sorted(_prefer_runs(request, found), key=lambda one: one.begin)
    sentence = _Sentence(request, rows, zone, now, _split(words, found), found)
    is_asked = _asks(words)
    is_by_line = await run_beside_loop(rows, _names_by_line, request.text, named)
    is_barred = request.surface.is_quoted or is_by_line or _is_barred(words, found)
    try:
        if not found and not is_asked:
            return _answer_without(request)
        if not is_asked and not is_barred and (offers := await sentence.list_offers()):
            request.notes.note_workspaces(sentence.named.workspaces)
            return _offer_buttons(talk.LIKELY if len(offers) > 1 else talk.LIKELY_ONE, offers)
    except Answered as early:
        return early.answer
    if is_barred and not is_asked and (unread := _find_unread_time(words, found)):
        read_as = time_parsing.read(unread, zone, now, soonest=SOONEST_SECONDS)
        why = read_as if isinstance(read_as, Unread) else Unread("unreadable")
        return replies.hint(replies.explain_unread_time(why, unread, SOONEST_SECONDS))
    return await sentence.show(is_barred=is_barred and not is_asked)


# -- finding names, times and verbs -----------------------------------------------------------------------


async def _list_links(request: Request, rows: Sequence[Workspace]) -> list[tuple[str, object]]:
    links = [word for word in request.arguments if naming.to_link(word)]
    usernames = await targets.read_usernames(request, *links)
    connections = request.services.connections
    found = ((link, naming.find_whole(link, rows, connections, usernames)) for link in links)
    return [(link, row) for link, match in found for row in match]


async def _list_others(request: Request) -> list[tuple[str, object]]:
    runs: dict[str, Run] = {}
    for run in await request.services.store.read(run_rows.list_runs, request.principal):
        runs.setdefault(run.name, run)
    courses = await request.caller.read(course_changes.list_own_courses)
    return [*runs.items(), *((one.title, one) for one, _ in courses)]


def _find(
    words: Sequence[str], named: Sequence[tuple[str, object]], zone: ZoneInfo, now: float
) -> tuple[list[Found[Any]], list[int]]:
    found: list[Found[Any]] = [*find_names(words, named)]
    found += find_hours(words, found)
    found += find_times(
        words, found, lambda text: time_parsing.read(text, zone, now, soonest=SOONEST_SECONDS)
    )
    known = EVERYTHING | _FILLERS | _BARS | _QUESTIONS | _GREETINGS | _THANKS
    found += find_verbs(words, list_free(words, found), known)
    return found, [at for at in list_free(words, found) if fold_word(words[at]) not in known]


def _prefer_runs(request: Request, found: Sequence[Found[Any]]) -> list[Found[Any]]:
    """In a message about jobs, prefer the run if a run and a workspace have the same name."""
    verbs = [one.what for one in found if isinstance(one.what, Verb)]
    is_output = any(verb.command == "job" and verb.effect is Effect.SHOWS for verb in verbs)
    if request.folder != "job" and not is_output and RUNS.isdisjoint(map(fold_word, request.arguments)):
        return [*found]
    return [
        replace(one, what=runs)
        if isinstance(one.what, tuple) and (runs := tuple(each for each in one.what if isinstance(each, Run)))
        else one
        for one in found
    ]


def _find_unknown(
    request: Request, operation: str, found: Sequence[Found[Any]], strange: Sequence[int]
) -> str:
    """Return a name in quotes or in a command that matches nothing the user owns, or "" if there is none."""
    words = request.arguments
    quoted = [words[at] for at in strange if isinstance(words[at], Quoted)]
    is_named = any(isinstance(one.what, tuple) and not isinstance(one.what, Time) for one in found)
    begin = 2 if fold_word("".join(words[1:2])) in _ARTICLES else 1
    if quoted or is_named or not strange or not operation or strange[0] != begin:
        return "".join(quoted[:1])
    free = list_free(words, [one for one in found if isinstance(one.what, Time)])
    return " ".join(words[at] for at in free[begin:]) if len(free) <= _MAX_COMMAND_WORDS else ""


def _asks(words: Sequence[str]) -> bool:
    """Return whether a message is a question, as opposed to a polite request."""
    said = " ".join(map(fold_word, words))
    while (parts := said.partition(" "))[0] in _GREETINGS and parts[2]:
        said = parts[2]
    first, *others = [word.removesuffix("'s") for word in said.split()[:3]] or [""]
    begins = first in _QUESTIONS or not _ASKING.isdisjoint(others)
    return begins or (bool(words) and words[-1].endswith("?") and not said.startswith(_POLITE))


def _is_barred(words: Sequence[str], found: Sequence[Found[Any]]) -> bool:
    """Return whether nothing may be offered in answer to a message.

    That is so if the message rules something out, is conditional, is about the past or about other people's
    workspaces, or contains an unreadable time or struck-out words.
    """
    free = list_free(words, found)
    outside = {fold_word(words[at]) for at in free}
    is_others = any(word.endswith("'s") and word[:-2] not in _QUESTIONS | _OWN for word in outside)
    after_times = (one.end for one in found if isinstance(one.what, Time) and one.end < len(words))
    is_elsewhere = any(end in free and is_like_zone(words[end]) for end in after_times)
    is_struck = any("~" in word for word in words)
    verbs = (one for one in found if isinstance(one.what, Verb) and one.what.effect is not Effect.SHOWS)
    acts = {one.what.name for one in verbs if not _is_heard(words, one)}
    # For example, *stop all, keep lab*.
    is_exception = len(acts) > 1 and not EVERYTHING.isdisjoint(map(fold_word, words))
    return (
        is_others
        or is_struck
        or is_elsewhere
        or is_exception
        or any(_is_bar(word) or is_like_time(word) or is_past(word) for word in outside)
    )


def _is_heard(words: Sequence[str], one: Found[Any]) -> bool:
    """Return whether a word only suggests a verb, so that another word may be the verb."""
    return fold_word(words[one.begin]) in one.what.heard.split()


def _is_bar(word: str) -> bool:
    return word in _BARS or word.endswith("n't")


def _find_unread_time(words: Sequence[str], found: Sequence[Found[Any]]) -> str:
    """Return a word that seems to be a time but can't be read as one, or "" if there is none."""
    acts = any(isinstance(one.what, Verb) and one.what.effect is not Effect.SHOWS for one in found)
    free = {*list_free(words, found)} if acts else set[int]()
    for lead, at in pairwise(range(len(words))):
        word, before = fold_word(words[at]), fold_word(words[lead])
        is_end = before in _UNTIL - {"for"} and word not in _FILLERS | _BARS
        if {lead, at} <= free and before in time_parsing.LEADS and (is_end or is_like_time(word)):
            return words[at]
    outside = {at: fold_word(words[at]) for at in sorted(free)}
    is_clear = not any(_is_bar(word) or is_past(word) for word in outside.values())
    return next((words[at] for at, word in outside.items() if is_clear and is_like_time(word)), "")


def _names_by_line(text: str, named: Sequence[tuple[str, object]]) -> bool:
    return "\n" in text and sum(bool(find_names(line.split(), named)) for line in text.splitlines()) > 1


def _split(words: Sequence[str], found: Sequence[Found[Any]]) -> list[_Part]:
    name_first = next((isinstance(one.what, tuple) for one in found if not isinstance(one.what, Time)), False)
    parts = [part := _Part()]
    for one in found:
        what = one.what
        if isinstance(what, Verb):
            if part.verb is not None and part.verb is not what and (part.things or part.times):
                parts.append(part := _Part())
            is_heard = _is_heard(words, one)
            if part.verb is None or (part.is_heard and not is_heard):
                # In *I need to stop lab*, *need* is no verb.
                part.verb, part.is_heard = what, is_heard
        elif isinstance(what, Time):
            part.times.append(what)
        elif isinstance(what, tuple) and not {*map(id, what)} <= {*map(id, part.things)}:
            if part.things and (part.times or (name_first and part.verb is not None)):
                parts.append(part := _Part(None if name_first else part.verb))
            part.things += what
    said = {fold_word(word) for word in words}
    for former, part in pairwise([_Part(), *parts]):
        part.things = part.things or former.things
        for name, others in ((part.verb and part.verb.otherwise) or {}).items():
            if not said.isdisjoint(others.split()):
                part.verb = find_verb("workspace", name)
                part.things = part.things if part.verb.is_operation else []
        is_start = former.verb is not None and former.verb.effect is Effect.STARTS
        is_stop = part.verb is not None and part.verb.name == "stop" and bool(part.times)
        if is_start and is_stop and part.things == former.things:
            # A start followed by a later stop means a start that lasts until then.
            former.times += [one._replace(lead="until") for one in part.times]
            part.verb, part.things, part.times = None, [], []
    return [part for part in parts if part.verb is not None or part.things or part.times]


@dataclass(frozen=True)
class _Sentence:
    request: Request
    rows: Sequence[Workspace]
    zone: ZoneInfo
    now: float
    parts: Sequence[_Part]
    found: Sequence[Found[Any]]

    @property
    def named(self) -> _Part:
        return _Part(things=[thing for part in self.parts for thing in part.things])

    # -- showing what the text asks about -----------------------------------------------------------------

    async def show(self, *, is_barred: bool) -> Answer:
        """Show the things that the sentence names or, if it names none, everything.

        If the sentence contains a verb that only shows something, that verb is run.
        """
        verbs = [part.verb for part in self.parts if part.verb is not None]
        verb = next((verb for verb in verbs if verb.effect is Effect.SHOWS), None)
        request, things, own = self.request, self.named.things, self.named.workspaces
        if not self.found and "you" in map(fold_word, request.arguments):
            return await _run(request.redirect("workspace", "help", ()))
        request.notes.note_workspaces(own)
        if own and (len(own) > 1 or is_barred):
            commands = [f"status {self._write_name(one)}" for one in own[:MAX_OFFERS]]
            return _offer_buttons(
                talk.LEFT_ALONE_ALL if is_barred else "Which one do you mean?",
                lists.list_command_buttons(commands, self.now),
            )
        if own:
            about = verb.name if verb is not None and verb.is_operation else "status"
            return await _run(request.redirect("workspace", about, (), own[0].id))
        if is_barred and not verb:
            return suggestions.answer_chat(request, "left_alone")
        if run := next((one for one in things if isinstance(one, Run)), None):
            is_of_run = verb is not None and verb.command == "job" and "run" in verb.accepts
            about = verb.name if verb is not None and is_of_run else "status"
            return await _run(request.redirect("job", about, (run.name,), run.id))
        if things and isinstance(things[0], ClassCard):
            return await show_courses(request, [things[0]])
        if any(verb.name == "card" for verb in verbs):
            return await show_own_courses(request)
        if verb is None or verb.is_operation or "run" in verb.accepts:
            is_about_runs = not RUNS.isdisjoint(map(fold_word, request.arguments))
            verb = find_verb("job" if is_about_runs else request.folder, "list")
        return await _run(request.redirect(verb.command, verb.name, ()))

    # -- offering actions ---------------------------------------------------------------------------------

    async def list_offers(self) -> list[kit.Element]:
        """Return buttons for the actions that a sentence may request.

        If the user must be asked a question first, raise Answered.
        """
        offers = [one for part in self.parts for one in await self._offer(part)]
        return list({str(one["text"]): one for one in offers}.values())

    async def _offer(self, part: _Part) -> list[kit.Element]:
        verb, own, request = part.verb, part.workspaces, self.request
        hours = next((one.what for one in self.found if isinstance(one.what, str)), "")
        if runs := [one for one in part.things if isinstance(one, Run)] if not own else []:
            return await _offer_runs(request, verb, runs, hours, part.times)
        if part.things and not own:
            return []
        said = {fold_word(word) for word in request.arguments}
        titles = {key: one.settings.title for key, one in request.services.connections.items()}
        rows = self.rows
        if places := [key for key, title in titles.items() if {key, *title.casefold().split()[:1]} & said]:
            own, rows = ([one for one in every if one.connection in places] for every in (own, rows))
            if part.things and not own:
                return []
        if hours and own and "hours" in list_verbs("workspace"):
            order = _write_hours(verb, hours)
            commands = [f"hours {self._write_name(one)} {order}" for one in own if order]
            return lists.list_command_buttons(commands, self.now)
        if verb is None and part.times:
            # For *gpu for 2 hours*, offer to start the workspace if it is down, or to keep it running for
            # two hours.
            up = "keep" if any(time.lead in _UNTIL for time in part.times) else "stop"
            return [
                button
                for one in own
                for button in await self._offer_for("start" if one.is_down else up, one, part.times)
            ]
        if verb is None or verb.effect is Effect.SHOWS:
            return []
        if not verb.is_operation:
            command = f"{'job ' if verb.command == 'job' else ''}{verb.name}"
            return [] if part.things else lists.list_command_buttons([command], self.now)
        if not own and not RUNS.isdisjoint(said):
            return []
        about = request.redirect("workspace", verb.name, ())
        about = replace(about, flags=frozenset(), at=None if own else _find_only_time(verb, part.times))
        needed = await confirmations.filter_needed(about, own or rows)
        if not own and needed and (not part.times or about.at is not None):
            if confirmations.can_do_several(about) and not EVERYTHING.isdisjoint(said):
                every = [row for row in rows if row.is_own]
                raise Answered(await confirmations.offer_for_several(about, every, is_named=False))
            raise Answered(await targets.ask_which_of_all(about, needed))
        is_planned = bool(part.times) and verb.effect is Effect.STARTS
        return [
            button
            for one in (own if is_planned else needed)
            if own and confirmations.is_possible(about, one)
            for button in await self._offer_for(verb.name, one, part.times)
        ]

    @cached_property
    def _labels(self) -> dict[str, str]:
        """Return a label for each workspace that the sentence names, keyed by the workspace's id."""
        own = [one for part in self.parts for one in part.workspaces]
        labels = targets.list_labels(self.request, own, self.rows)
        return {one.id: label for one, label in zip(own, labels, strict=True)}

    def _write_name(self, one: Workspace) -> str:
        return join_words([self._labels[one.id]])

    async def _offer_for(self, name: str, one: Workspace, times: Sequence[Time]) -> list[kit.Element]:
        request = self.request
        if name == "start" and not _WAITING.isdisjoint(map(fold_word, request.arguments)):
            name = "wait"
        verb = find_verb("workspace", name)
        title = kit.line(self._labels[one.id])
        if not times:
            effects, label = get_stop_effects(request.services.context, one), verb.offer.button
            return [replies.verb_button(name, one, 0, effects, label.format(name=title))] if label else []
        if unread := next((time for time in times if not time.moments), None):
            assert unread.unread is not None, "a time without moments has a reason"
            raise Answered(
                replies.hint(replies.explain_unread_time(unread.unread, unread.text, SOONEST_SECONDS))
            )
        begins = (time for time in times if time.lead not in _UNTIL)
        begin = next((time for time in begins if time.lead or time.moments[0].seconds is None), None)
        is_end = verb.effect is Effect.ENDS
        if is_end and not verb.runs_until and any(time.lead in _UNTIL for time in times):
            raise Answered(replies.hint(request.fill(cards.STOP_FOR, one, verb=name)))
        if is_end and verb.runs_until and begin is not None:
            return []  # A restart can't be planned, only a stop after it.
        if verb.effect is Effect.STARTS and name != "keep" and begin is not None:
            return self._offer_planned(one, begin, next((time for time in times if time is not begin), None))
        about = replace(request.redirect("workspace", name, ()), flags=frozenset())
        ats = [moment.at for time in times for moment in time.moments] if verb.button_at else []
        labels = [await confirmations.format_label(replace(about, at=at), name, title) for at in ats]
        return buttons.list_timed_buttons(name, [one] * len(ats), labels, ats)

    def _offer_planned(self, one: Workspace, begin: Time, end: Time | None) -> list[kit.Element]:
        """Return the buttons for a planned start. It is stored as working hours on that one date."""
        if "hours" not in list_verbs("workspace"):
            return []
        clocks = [datetime.fromtimestamp(moment.at, self.zone) for moment in begin.moments]
        commands = [f"hours {self._write_name(one)} {clock:%Y-%m-%d %-H:%M}" for clock in clocks]
        if end is not None:
            length = end.moments[0].seconds
            ends = [clock.timestamp() + length if length else end.moments[0].at for clock in clocks]
            pairs = zip(commands, ends, strict=True)
            commands = [f"{command}-{datetime.fromtimestamp(at, self.zone):%-H:%M}" for command, at in pairs]
        return lists.list_command_buttons(commands, self.now, [moment.at for moment in begin.moments])


def _find_only_time(verb: Verb, times: Sequence[Time]) -> float | None:
    """Return the time to run a verb or, for a start, to stop again. Return None if it isn't clear."""
    ats = [moment.at for time in times for moment in time.moments]
    is_clear = len(ats) == 1 and "time" in verb.accepts and (times[0].lead in _UNTIL) is verb.runs_until
    return ats[0] if is_clear else None


async def _run(request: Request) -> Answer:
    """Authorise and run a verb that only shows something. Until now, only free text was authorised."""
    await request.caller.authorise(request.verb)
    return await routes.run(request)


def _write_hours(verb: Verb | None, hours: str) -> str:
    """Return hours as a user would type them, or "" if working hours can't do what the verb does.

    With a verb that stops something, a single time means a stop. Otherwise, it means a start.
    """
    wanted = time_parsing.read_hours(hours)
    if verb is None or verb.effect is not Effect.ENDS or wanted is None or wanted.starts is None:
        return hours
    if verb.name not in {"stop", "suspend"} or wanted.stops is not None:
        return ""
    return time_parsing.write_hours(wanted._replace(starts=None, stops=wanted.starts))


async def _offer_runs(
    request: Request, verb: Verb | None, runs: Sequence[Run], hours: str, at: Sequence[Time]
) -> list[kit.Element]:
    if hours and (verb is None or verb.effect is not Effect.ENDS):
        await refuse_schedule(request, (runs[0].name, *hours.split()))
    if verb is None or hours or verb.effect is Effect.SHOWS or at:
        return []
    name = {"start": "run", "restart": "run", "cancel": "stop"}.get(verb.name, verb.name)
    commands = [f"job {name} {join_words((one.name,))}" for one in runs if name == "run" or one.is_going]
    return lists.list_command_buttons(
        commands if name in list_verbs("job") else [], request.services.clock.now()
    )


def _offer_buttons(sentence: str, offers: Sequence[kit.Element]) -> Answer:
    numbered = [kit.add_number(one, at, one["text"]["text"]) for at, one in enumerate(offers[:MAX_OFFERS])]
    return replies.as_question(replies.hint(sentence, numbered))


def _answer_without(request: Request) -> Answer:
    """Answer a message in which no word was recognised, such as a URL, thanks or a mistyped command."""
    connections = request.services.connections
    links = [word for word in request.arguments if naming.to_link(word)]
    if known := [link for link in links if naming.find_references(link, connections)]:
        return suggestions.offer_commands(request, [f"add {join_words((known[0],))}"], talk.AS_COMMAND)
    words = [fold_word(word) for word in request.arguments]
    if not _THANKS.isdisjoint(words):
        return suggestions.answer_chat(request, "thanks")
    if not _GREETINGS.isdisjoint(words[:2]):
        return suggestions.answer_chat(request, "hello")
    return suggestions.answer_unread(request)
