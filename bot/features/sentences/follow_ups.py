"""Follow-ups, which continue a question or an action: *make that 6*, *report too*, *both*.

The last request is a frame: a verb, its objects, and a time. A follow-up fills or replaces some of these,
and becomes the words of a request of its own, after the last action was undone where that has to come first.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from bot.domain import time_parsing
from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.time_parsing import LEADS, Moment
from bot.domain.undoable_actions import UndoableAction
from bot.domain.workspaces import Workspace
from bot.features.hours.verbs import apply_order
from bot.features.sentences import chat, phrasebook, times
from bot.features.sentences.chat import RecentReferents
from bot.features.sentences.frames import START_VERBS, Frame, frame_last_act, frame_referents
from bot.features.sentences.objections import is_conditional
from bot.features.sentences.reading import Reading, read
from bot.features.sentences.roles import (
    CORRECTIONS,
    NUMBER_PATTERN,
    NUMBER_WORDS,
    ROLES,
    join_halves,
    match_phrase,
    read_roles,
)
from bot.features.sentences.selection import Which, select, split_tokens
from bot.features.sentences.words import is_dash, match_verb
from bot.messages.blocks import kit, replies
from bot.messages.blocks.runs import again_button
from bot.messages.texts import cards, talk
from bot.messages.verb import Effect, find_verb, is_operation
from bot.providers import facets
from bot.services import naming, runs
from bot.support.cleaning import fold
from bot.support.pool import run_beside_loop
from handlers import intents, routes, suggestions, vocabulary
from handlers.command_line import Quoted, fold_word, is_clause_end, join_words
from handlers.connections import list_making_connections, list_templates
from handlers.job import launch_copy
from handlers.names import Names, read_names
from handlers.request import Request
from handlers.workspace import confirmations, targets
from handlers.workspace.timers import read_typed_time

#: The verbs of questions whose choices are no workspaces.
_CONNECTION_VERBS: Final = frozenset({"new", "link", "unlink"})
#: The words that can only begin a follow-up.
_OPENING_WORDS: Final = frozenset(
    {"make", "change", "except", "with", "without", "not", "no", "wait", "oops"}
)
#: Longer texts are requests of their own; or have too many words besides a correction.
_MAX_FOLLOW_UP_WORDS: Final = 16
_MAX_CORRECTED_WORDS: Final = 24
_VARIABLE_PATTERN: Final = re.compile(r"[A-Za-z_]\w*=[\w.,:/+-]*")
_STOP_VERBS: Final = frozenset({"stop", "suspend", "restart"})
_DAYS_OFF_VERBS: Final = frozenset({"skip", "pause"})
_ONLY_WORDS: Final = frozenset({"only", "just", "nur"})
#: The verbs that lead back from others.
_OPPOSITES: Final = {"start": "stop", "stop": "start", "resume": "suspend", "suspend": "resume"}
_EXCEPTION_WORDS: Final = frozenset({"except", "without", "not", "but"})
_DAY_WORDS: Final = frozenset({"this", "next", "coming", "today", "tomorrow", "tonight"})
_NO_WORDS: Final = frozenset({"no", "nope", "nein", "nee"})
_LENGTH_LEADS: Final = frozenset({"in", "for"})
_UNTIL_LEADS: Final = frozenset({"", "for", "until", "till", "til", "'til"})


async def complete_follow_up(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> Answer | tuple[str, ...] | None:
    """Return the words of the completed request, or an answer; None for a text that stands on its own."""
    if reading.is_full and (reading.kind == "question" or reading.which.courses):
        return None
    given, parts = request.arguments, _split_corrections(request.typed_words or request.arguments)
    corrected: tuple[str, ...] | None = parts[0]
    for part in parts[1:]:
        corrected = await _apply_correction(request, rows, corrected, part) if corrected else None
    if corrected and len(parts) > 1:
        return corrected
    is_blocked = reading.how == "quote" or reading.which.is_theirs or is_conditional(reading, given)
    # "Everything but report off" says itself what to do with the others.
    is_blocked |= reading.which.is_all and fold_word(given[-1] if given else "") in phrasebook.DOWN_PARTICLES
    if is_blocked or not 0 < len(given) <= _MAX_FOLLOW_UP_WORDS or request.surface.channel_id is None:
        return None
    phrase, is_now = match_phrase(given, 0), fold_word(given[-1]) == "now" and reading.what == "undo"
    role = ROLES.get(phrase, "")
    # `bring it back` takes back what was done.
    is_joined = role in {"all", "now"} or (role == "out" and len(phrase) == len(given))
    is_joined |= role in {"instead", "also"} and (reading.kind != "talk" or is_now)
    is_joined |= any(ROLES.get(tuple(map(fold_word, given[-count:]))) == "also" for count in (1, 2))
    which, is_rest = reading.which, bool(reading.which.named) and reading.hours.startswith(("skip", "pause"))
    is_own = reading.verb != "keep" or which.is_named or which.is_all
    if (reading.is_full or is_operation(reading.verb)) and (is_rest or (is_own and not is_joined)):
        return None
    recent = await chat.read_recent_referents(request, rows)
    if recent.about.ask == "which" and recent.about.verb in _CONNECTION_VERBS:
        return await _complete_choice(request, reading, recent.about)
    frame = await frame_last_act(request, recent, rows) or frame_referents(recent)
    if frame is None or (role == "all" and not frame.is_question):
        return None
    names = await read_names(request, rows)
    turn = await run_beside_loop(rows, _Turn, request, frame, recent, names, rows)
    completed = await turn.merge(reading)
    if isinstance(completed, tuple) and reading.is_question and not completed[-1].endswith("?"):
        effect = find_verb("workspace", completed[0]).effect
        only_shows = effect is Effect.SHOWS or completed[0] == "card"
        return completed if only_shows else _offer(request, completed)
    return completed


def _offer(request: Request, completed: Sequence[str]) -> Answer:
    """Offer the command of a question."""
    command = join_words([word for word in completed if word != "today"])
    return suggestions.offer_commands(request, [command], talk.AS_COMMAND)


def _split_corrections(given: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the first part of a text, and each correction of it: ``…, no wait, report``."""
    cuts, at = [0], 1
    while at < len(given) <= _MAX_CORRECTED_WORDS:
        phrase = match_phrase(given, at)
        is_cut_off = is_clause_end(given[at - 1]) or is_dash(given[at - 1])
        begins_correction = is_cut_off or (len(phrase) > 1 and phrase[0] in _OPENING_WORDS)
        is_cut = begins_correction and phrase in CORRECTIONS and at + len(phrase) < len(given)
        cuts += [at] if is_cut else []
        at += len(phrase) if is_cut else 1
        while is_cut and (more := match_phrase(given, at)) in CORRECTIONS:
            # `no wait, make it 6` is one.
            at += len(more)
    return [given[begin:end] for begin, end in pairwise([*cuts, len(given)])]


async def _apply_correction(
    request: Request, rows: Sequence[Workspace], first: tuple[str, ...], then: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the corrected words; None where they can't be determined."""
    names, folders = await read_names(request, rows), routes.list_verbs_by_folder()
    if fold_word(first[0]) in {"don't", "dont"} and times.find(first).when is not None:
        # `don't stop it at 5, make it 6`: only the time isn't wanted.
        first = first[1:]
    before = await run_beside_loop(rows, read, first, request.folder, folders, names)
    if not is_operation(before.verb) or not before.is_full or before.which.is_theirs:
        return None
    text = before.when.text.rstrip(",;.!?") if before.when else ""
    time = await read_typed_time(request.services, request.principal, text) if text else None
    moment = time if isinstance(time, Moment) else None
    if text and moment is None:
        return None
    at, seconds = (moment.at, moment.seconds) if moment else (None, None)
    frame = Frame(before.verb, tuple(before.which.named), (), at, seconds, is_question=True)
    about = RecentReferents(Referents(), list(frame.objects), [], [])
    turn = _Turn(replace(request, arguments=then, typed_words=then), frame, about, names, rows)
    merged = await turn.merge(read(then, request.folder, folders, names))
    if not isinstance(merged, tuple):
        return None
    is_pointing = bool(turn.which.points) and not turn.which.is_named
    words = (
        tuple(word for word in merged if fold_word(word) not in vocabulary.SINGULAR_PRONOUNS)
        if is_pointing
        else merged
    )
    return (*words, *turn.list_labels(frame.objects)) if is_pointing else merged


# -- what is said ------------------------------------------------------------------------------------------


class _Turn:
    """The slots of a follow-up, which are merged into the last request.

    ``own`` are the words of a request of its own, ``rest`` those in no role, ``out`` is what is left out.
    """

    def __init__(
        self, request: Request, frame: Frame, heard: RecentReferents, names: Names, rows: Sequence[Workspace]
    ) -> None:
        self.request, self.frame, self.heard, self.rows = request, frame, heard, rows
        given = join_halves(request.arguments)
        marks, word_times = read_roles(given, names)
        self.roles, marked = set(marks), list(zip(given, marks, strict=True))
        self.first = next((fold_word(word) for word, mark in marked if mark), "")
        edge = [at for at, mark in enumerate(marks) if mark in {"-", "time"}] or [0, -1]
        self.own = tuple(word for word, mark in marked[edge[0] : edge[-1] + 1] if "out" not in mark)
        #: What is left out of it isn't done at all: ``run it, not now``.
        self.is_limited = any("out" in mark for mark in marks[edge[0] :])
        self.rest = tuple(word for word, mark in marked if mark in {"-", "time"} or "out" in mark)
        #: What is wanted, and the times that aren't.
        self.replacing_words = tuple(word for word, mark in marked if mark in {"-", "time"})
        self.ruled_out = tuple(word for word, mark in marked if mark == "out time")
        self.verb, self.kept, self.which = _read_opening(
            tuple(one for one, mark in marked if mark == "-"), names
        )
        self.out_verb, _, self.out = _read_opening(
            tuple(one for one, mark in marked if mark == "out of"), names
        )
        folded = [NUMBER_WORDS.get(fold_word(word), fold_word(word)) for word in self.kept]
        numbers = [word for word in folded if NUMBER_PATTERN.fullmatch(word)]
        # A time that is ruled out, or of what is left out, is none of what is wanted.
        self.when = word_times.when if "time" in self.roles else None
        self.number = numbers[0] if len(numbers) == 1 and not word_times.when else ""
        if frame.seconds is not None and self.rest and fold_word(self.rest[0]) in _LENGTH_LEADS:
            # `no, in 40` has the unit of the length before.
            bare = NUMBER_PATTERN.fullmatch(" ".join(fold_word(word) for word in self.rest[1:]))
            self.number = bare[0] if bare else self.number
        self.day = next(filter(time_parsing.is_day, folded), "")
        # A part of a name is enough to choose one of those that were asked about.
        parts = {
            workspace: {*fold(workspace.title).replace("-", " ").split()}
            for workspace in frame.objects
            if frame.is_question
        }
        self.chosen = [one for one, said in parts.items() if said & {*map(fold_word, self.which.unknown)}]
        known = {*LEADS, *NUMBER_WORDS}.union(
            {self.day, self.number}, *(parts[workspace] for workspace in self.chosen)
        )
        # "and report is down" says something about it.
        is_on_connection = bool(self.which.connections and not self.which.named)
        distinguishing = vocabulary.DISTINGUISHING - (
            phrasebook.PLACE_PREPOSITIONS if is_on_connection else set()
        )
        is_remark = bool(self.which.is_named and distinguishing.intersection(folded))
        is_odd = is_remark or (bool(self.out.unknown) and not self.out_verb)
        self.is_strange = is_odd or any(fold_word(word) not in known for word in self.which.unknown)

    async def merge(self, reading: Reading) -> Answer | tuple[str, ...] | None:
        """Return the words of the merged request, or an answer; None for a text that stands on its own."""
        frame, roles = self.frame, self.roles
        self.is_question = reading.is_question
        if self.out_verb not in {"", frame.verb}:
            # `don't stop report, notebook instead` isn't about a start.
            return None
        if (special := await self._change_hours() or await self._change_name_or_variables()) is not None:
            return special
        if (commands := self._list_commands_for_others()) and not reading.is_question:
            return suggestions.offer_commands(self.request, commands, talk.DID_YOU_MEAN)
        if self.verb:
            return None if reading.is_question or self.is_limited else await self._detach()
        names = [] if self.is_strange else self._find_objects()
        which = self.which
        is_other = which.is_named or which.place or which.points in {"other", "them"} or "all" in roles
        is_same = not (self.is_strange or is_other)
        when = await self._read_new_time() if names or is_same else ()
        if "out" in roles and not (names or when or self.is_strange) and await self._is_last_time_ruled_out():
            return await self._leave_out()
        if reading.is_question and "also" in roles and which.courses:
            return ("card", which.courses[0].title)
        if names and reading.is_question:
            return ("status", *names) if "also" in roles else None
        if names and (frame.is_question or roles & {"also", "instead", "out"} or not which.is_named):
            when = when or await self._write_same_time()
            return (
                None
                if frame.is_half_open and not when
                else await self._replace_last((frame.verb, *names, *when))
            )
        if "now" in roles and frame.at is not None and is_same:
            return await self._replace_last(self._write_command())
        if when:
            return await self._move_last(when)
        if not frame.actions or self.first not in _OPENING_WORDS or reading.is_question:
            return None
        sentence = kit.fill(
            talk.NOT_TAKEN, name=frame.objects[0].title if frame.objects else frame.actions[0].name
        )
        undo = [
            kit.button(cards.UNDO, "undo", action.id) for action in frame.actions[:1] if action.has_way_back
        ]
        return replies.hint(sentence, undo)

    # -- objects -------------------------------------------------------------------------------------------

    def _write_command(self, when: Sequence[str] = (), verb: str = "") -> tuple[str, ...]:
        """Return the last request, at another time or with another verb."""
        names = (Quoted(name) for name in self.frame.names)
        return (verb or self.frame.verb, *self.list_labels(self.frame.objects), *names, *when)

    def list_labels(self, found: Sequence[Workspace]) -> list[str]:
        return targets.list_labels(self.request, found, self.rows)

    def _find_objects(self) -> list[str]:
        """Return the names of the objects that are meant now; none where they are unknown."""
        which, last_objects = self.which, self.frame.objects
        if which.named or which.runs or which.jobs:
            named = [
                workspace for workspace in which.named if workspace.connection in which.connections
            ] or which.named
            is_clear = len(named) == len(which.workspaces) and not (which.is_near or which.runs or which.jobs)
            return self.list_labels(named) if is_clear else [*self.kept]
        if "all" in self.roles or which.points == "them":
            return self.list_labels(last_objects)
        elsewhere = [
            workspace
            for workspace in self.request.services.connections
            if workspace not in self.out.connections
        ]
        connections = which.connections or (elsewhere if self.out.connections and not self.out.named else ())
        is_pointed = which.place or which.points == "other"
        candidates = self.heard.resolve(which, self.rows) if is_pointed else self.chosen
        if which.points == "other" or connections:
            # One of those that were asked about, or what is called the same.
            titles = {fold(workspace.title) for workspace in last_objects}
            same_title = [
                workspace
                for workspace in self.rows
                if fold(workspace.title) in titles and workspace not in last_objects
            ]
            among = last_objects if self.frame.is_question else same_title
            candidates = [
                workspace for workspace in among if not connections or workspace.connection in connections
            ] or candidates
        return self.list_labels(candidates) if len(candidates) == 1 else []

    def _list_commands_for_others(self) -> list[str]:
        """Return the commands that lead back from acts on the others: ``only main`` of two starts."""
        frame, named = self.frame, self.which.named
        others = [workspace for workspace in frame.similar_objects if workspace not in named]
        back = "keep" if frame.verb == "stop" and frame.at is not None else _OPPOSITES.get(frame.verb, "")
        is_only = bool(named) and not _ONLY_WORDS.isdisjoint(map(fold_word, self.request.arguments))
        is_only = is_only and not (self.is_strange or self.when or self.number or "now" in self.roles)
        is_of_these = is_only and {*named} < {*frame.similar_objects}
        return (
            [join_words((back, label)) for label in self.list_labels(others)] if back and is_of_these else []
        )

    # -- times ---------------------------------------------------------------------------------------------

    async def _write_same_time(self) -> tuple[str, ...]:
        """Return the last request's time, as it is typed."""
        frame = self.frame
        if frame.hours is not None:
            return tuple(time_parsing.write_hours(frame.hours).split())
        is_timed = (
            frame.at is not None and find_verb("workspace", frame.verb).takes_time and not frame.is_half_open
        )
        return await self._write_time(frame.at or 0.0) if is_timed else ()

    def _choose_preposition(self, preposition: str) -> str:
        """Return the word that announces a time for the verb: of an end, or of the act."""
        ends = {"in": "for", "at": "until"} if self.frame.verb in START_VERBS | {"keep"} else {}
        return ends.get(preposition, preposition)

    async def _write_time(self, at: float) -> tuple[str, ...]:
        store = self.request.services.store
        zone = await store.zone(self.request.principal)
        preposition = "at" if self.frame.is_start_time else self._choose_preposition("at")
        return (preposition, *time_parsing.format_time(at, zone, await store.now()).split())

    async def _read_new_time(self) -> tuple[str, ...]:
        """Return the new time, as it is typed: it is near the last one."""
        frame, services, principal = self.frame, self.request.services, self.request.principal
        if frame.is_start_time and self.when is not None and self.when.lead in _UNTIL_LEADS - {"", "for"}:
            return ()
        last = frame.at or (frame.objects[0].stop_at if len(frame.objects) == 1 else None)
        typed = _strip_preposition(self.when.text) if self.when else ""
        text = self.number or typed or self.day or "".join(self.roles & {"am", "pm"})
        if self.number and frame.seconds is not None:
            return (
                self._choose_preposition("in"),
                self.number,
                "h" if round(frame.seconds / 60.0) >= 60 else "min",
            )
        time = await read_typed_time(services, principal, typed) if typed else None
        is_time = time is not None and (isinstance(time, Moment) or time.why != "no_time")
        length = time.seconds if isinstance(time, Moment) else None
        default_preposition = self._choose_preposition("at" if length is None else "in")
        if last is None or not text:
            is_hour = self.number and frame.is_question and find_verb("workspace", frame.verb).takes_time
            typed = typed if is_time else self.number if is_hour else ""
            preposition = (self.when.lead or default_preposition) if self.when else "at"
            return (preposition, *typed.split()) if typed else ()
        zone, now = await services.store.zone(principal), await services.store.now()
        at = time_parsing.replace_time(text, last, zone, now)
        if (
            at is not None
            and frame.is_half_open
            and time_parsing.day_of(text, await self.request.find_today())
        ):
            # On another day the half is as open as before.
            local = datetime.fromtimestamp(last, zone)
            return () if local.minute else (default_preposition, *text.split(), str(local.hour % 12 or 12))
        if at is not None:
            # Which half of the day is meant may still be open.
            is_bare = (time_parsing.parse_minute(text) or (0, False))[1]
            return () if frame.is_half_open and is_bare else await self._write_time(at)
        if length is not None and self.when is not None and self.when.lead == "by":
            # `extend report`, `by 2 hours`: from the end that it has.
            return await self._write_time(last + length)
        if length is not None and self.roles & {"later", "earlier"}:
            return await self._write_time(last + length * (1 if "later" in self.roles else -1))
        return (default_preposition, *typed.split()) if is_time else ()

    async def _is_last_time_ruled_out(self) -> bool:
        """Return whether the time after *not* is the one of the last request, or there is none after it."""
        store, last = self.request.services.store, self.frame.at
        text = _strip_preposition(" ".join(self.ruled_out).rstrip(",;.!?"))
        if not text or last is None or self.frame.seconds is not None:
            return True
        zone, now = await store.zone(self.request.principal), await store.now()
        return time_parsing.replace_time(text, last, zone, now) == last

    # -- what becomes of what was done ---------------------------------------------------------------------

    async def _undo(self, done: Sequence[UndoableAction]) -> tuple[Answer, bool]:
        """Undo actions; return the answer, and whether all of them are as if not done."""
        answer, is_back = replies.hint(talk.WONT_DO), True
        for action in done:
            answer, is_back = await intents.undo_action(self.request, action.id)
            if not is_back:
                break
        return answer, is_back

    async def _replace_last(
        self, then: tuple[str, ...], *, is_other: bool = True
    ) -> Answer | tuple[str, ...]:
        """Undo the last actions before their replacement; ``is_other`` is done in any case.

        A question is answered with an offer.
        """
        if self.is_question:
            return _offer(self.request, then)
        undo_answer, is_back = await self._undo(() if "also" in self.roles else self.frame.actions)
        if is_back or not is_other:
            return then if is_back else undo_answer
        answer = routes.text["words"]
        answer_after = await answer(
            replace(self.request, arguments=then, typed_words=then, text=join_words(then))
        )
        # A card comes later; until then nothing else would say that both go on.
        names = [action.name for action in self.request.notes.actions.values() if not action.undone_at]
        done = find_verb("workspace", then[0]).bulk.done
        is_silent = not answer_after.text and bool(names) and bool(done)
        doing = kit.fill(done, names=suggestions.format_bold(names)) if is_silent else ""
        begun = [kit.section(doing)] if doing else []
        return kit.answer([*undo_answer.blocks, *begun, *answer_after.blocks], about=answer_after.about)

    async def _move_last(self, when: tuple[str, ...]) -> Answer | tuple[str, ...] | None:
        """Return the last request at another time, or until then."""
        verb, is_until = self.frame.verb, when[0] in _UNTIL_LEADS
        if not find_verb("workspace", verb).takes_time:
            is_run = verb not in _DAYS_OFF_VERBS and len(self.frame.objects) == 1
            return self._write_command(when, "keep") if is_until and is_run else None
        # A later end, or another planned stop, takes the place of the last one: *undo* brings that back.
        is_end = is_until if verb in START_VERBS else self.frame.at is not None
        command = self._write_command(when)
        if is_end and not self.is_question:
            return command
        return await self._replace_last(command, is_other=False)

    async def _detach(self) -> Answer | tuple[str, ...] | None:
        """Return a request of its own, without the words that join it to the last one."""
        own, frame, given = self.own, self.frame, self.request.arguments
        is_on = self.verb == "keep" and frame.verb in _STOP_VERBS and frame.at is None and bool(frame.actions)
        if is_on and not self.when and {*self.which.named} <= {*frame.objects}:
            return (await self._undo(frame.actions))[0]
        is_no = fold_word(given[0]) == "no" and own == given[1:] and not is_clause_end(given[0])
        if is_no or own == given:
            return None
        is_same = self.verb == frame.verb
        if (
            is_same
            and "also" in self.roles
            and (same := await self._write_same_time())
            and "time" not in self.roles
        ):
            # Now, or when the other is: only they know.
            both = [join_words(own), join_words((*own, *same))]
            return suggestions.offer_commands(self.request, both, talk.DID_YOU_MEAN)
        return await self._replace_last(own) if is_same and "instead" in self.roles else own

    async def _leave_out(self) -> Answer | tuple[str, ...] | None:
        """Leave some objects of the last request out, or undo their actions."""
        frame, out = self.frame, self.out
        on_connections = [workspace for workspace in frame.objects if workspace.connection in out.connections]
        is_whole = not out.is_named and (not out.unknown or bool(self.out_verb))
        named = out.named or on_connections or (list(frame.objects) if is_whole else [])
        remaining = [workspace for workspace in frame.objects if workspace not in named]
        if frame.is_question:
            if not remaining or frame.is_half_open:
                return await chat.decline_or_undo(self.request)
            rest = (frame.verb, *self.list_labels(remaining), *await self._write_same_time())
            # A *no* may be one to all of it, and less than was to be confirmed isn't confirmed.
            is_offered = self.first in _NO_WORDS or (frame.is_confirmation and len(remaining) == 1)
            return await self._offer_rest(remaining, rest) if is_offered else rest
        keys = {workspace.id for workspace in named} | (
            {action.subject for action in frame.actions} if is_whole else set()
        )
        actions = [action for action in frame.actions if action.subject in keys]
        return (await self._undo(actions))[0] if actions else None

    async def _offer_rest(self, remaining: Sequence[Workspace], command: Sequence[str]) -> Answer:
        """Offer the last request for its remaining objects, worded by its verb if that is one."""
        verb = self.frame.verb
        if len(remaining) > 1 or self.frame.at is not None or not find_verb("workspace", verb).offer.button:
            return suggestions.offer_commands(self.request, [join_words(command)], talk.AS_COMMAND)
        self.request.notes.note_workspaces(remaining)
        request = self.request.redirect("workspace", verb, ())
        return await confirmations.offer_for_one(request, remaining[0])

    # -- what only some acts have --------------------------------------------------------------------------

    async def _change_hours(self) -> Answer | tuple[str, ...] | None:
        """Return the request for changed working hours."""
        hours = self.frame.hours
        is_whole_out = hours is not None and hours.days <= await self._list_ruled_out_days()
        if is_whole_out and not self.replacing_words:
            return None
        # `not tomorrow, monday` replaces a day; `not on fridays` leaves out one of several.
        is_replaced = self.replacing_words and (
            is_whole_out or not any(map(time_parsing.is_day, self.ruled_out))
        )
        words = [fold_word(word) for word in (self.replacing_words if is_replaced else self.rest)]
        is_of_several = len(self.frame.objects) == 1 and ("all" in self.roles or self.which.points == "them")
        rest = ["stop" if word in phrasebook.DOWN_PARTICLES else word for word in words]
        if self.frame.verb in _DAYS_OFF_VERBS and (days := self._find_days_off()):
            return await self._change_days_off(days)
        if hours is not None and rest and rest[0] in _EXCEPTION_WORDS and not _DAY_WORDS.isdisjoint(rest):
            # Not what comes again, but one day of it.
            day = next(filter(time_parsing.is_day, rest), "")
            return self._write_command(("skip", day), "hours") if day else None
        if hours is None or not rest or (order := time_parsing.change_hours(hours, rest)) is None:
            return None
        if not hours.days & time_parsing.EVERY_DAY and not time_parsing.is_recurring(rest):
            # What came once still does: `no, tuesday`.
            today = await self.request.find_today()
            dates = [time_parsing.day_of(day, today) for day in order.days if day in time_parsing.EVERY_DAY]
            once = frozenset(date.isoformat() for date in dates if date is not None)
            order = replace(order, days=once | (order.days - time_parsing.EVERY_DAY))
        if is_of_several:
            # `stop both at 4` isn't about one, and each has hours of its own.
            labels = self.list_labels(self.frame.recent_objects) if len(self.frame.recent_objects) > 1 else []
            commands = [f"hours {join_words((label,))} {time_parsing.write_hours(order)}" for label in labels]
            return suggestions.offer_commands(self.request, commands, talk.DID_YOU_MEAN) if commands else None
        if order.days < hours.days and self.is_question:
            return None  # No command takes days away.
        if order.days < hours.days and len(self.frame.objects) == 1:
            # What they had replaced doesn't come back on the days that are left out.
            await self.request.caller.authorise("hours")
            of_hours = self.request.redirect("workspace", "hours", ())
            apply, order_text = apply_order, time_parsing.write_hours(order)
            return await apply(of_hours, self.frame.objects[0], order_text, self.frame.rule)
        return await self._replace_last(
            self._write_command(time_parsing.write_hours(order).split(), "hours"), is_other=False
        )

    async def _list_ruled_out_days(self) -> AbstractSet[str]:
        """Return the days that aren't wanted, as hours name them: by their weekday, or once by their date."""
        words, today = [fold_word(word) for word in self.ruled_out], await self.request.find_today()
        dates = [day.isoformat() for word in words if (day := time_parsing.day_of(word, today)) is not None]
        return frozenset[str]().union(dates, *map(time_parsing.days_of, words))

    def _find_days_off(self) -> str:
        """Return the text of other days without hours, or without a lesson; "" for none."""
        days = " ".join(self.replacing_words).rstrip(",;.!?")
        is_readable = self.when is not None and not (self.is_strange or self.which.is_named)
        texts = (days, self.when.text if self.when and is_readable else "")
        return next(filter(times.has_days, texts), "")

    async def _change_days_off(self, days: str) -> Answer | tuple[str, ...]:
        """Return the request for other days off; *until* makes a pause of them."""
        objects, is_until = self.frame.objects, not _UNTIL_LEADS.isdisjoint(map(fold_word, days.split()))
        order = ("pause" if is_until else self.frame.verb, *days.split())
        if len(objects) > 1:
            commands = [join_words(("hours", label, *order)) for label in self.list_labels(objects)]
            return suggestions.offer_commands(self.request, commands, talk.DID_YOU_MEAN)
        return await self._replace_last(
            self._write_command(order, "hours" if objects else "card"), is_other=False
        )

    async def _change_name_or_variables(self) -> Answer | tuple[str, ...] | None:
        """Return the request for another name, or a run with other variables in place of one not sent yet."""
        actions, words = (
            self.frame.actions[:1],
            [word.rstrip(",") for word in self.rest if fold_word(word) != "with"],
        )
        kind = actions[0].kind if actions and words else ""
        if kind == "workspace.alias" and self.request.arguments[0].casefold() == "make":
            return self._write_command([" ".join(words)])
        if kind != "job.run" or not all(map(_VARIABLE_PATTERN.fullmatch, words)):
            return None
        run = await self.request.caller.read(runs.require_run, "run", actions[0].work_item_id)
        variables_key = (
            self.request.services.context.need(run.connection).require_facet(facets.Runs).variables_key
        )
        if not variables_key or run.spec is None:
            return None
        undo_answer, is_back = await self._undo(actions)
        if not is_back:
            return replies.with_button(undo_answer, again_button(run, words))
        return await launch_copy(replace(self.request, target=" ".join([run.id, *words])))


def _read_opening(given: tuple[str, ...], names: Names) -> tuple[str, tuple[str, ...], Which]:
    """Return the verb at the beginning of words, the other words, and their names."""
    opening = match_verb(given, "workspace", routes.list_verbs_by_folder()) if given else None
    is_verb = opening is not None and bool(opening.verb) and not names.find_spans(given[:1])
    kept = opening.rest if opening is not None and is_verb else given
    which = select(split_tokens(kept, names), names) if kept else Which()
    return opening.verb if opening is not None and is_verb else "", kept, which


def _strip_preposition(text: str) -> str:
    """Return a time without the words that announce it."""
    first, _, rest = text.partition(" ")
    return _strip_preposition(rest) if first.casefold() in LEADS and rest else text


async def _complete_choice(request: Request, reading: Reading, about: Referents) -> tuple[str, ...] | None:
    """Return the request with the chosen connection, or template of the only connection that has it."""
    services = request.services
    given = tuple(word for word in request.typed_words if fold_word(word) not in vocabulary.BEFORE_A_NAME)
    if naming.split_leading_connection(given, services.connections)[0] is not None:
        return (about.verb, *given)
    if about.verb != "new" or reading.kind != "nothing" or reading.which.named:
        return None
    choice_name = fold(" ".join(given))
    matching = [
        (about.verb, connection, choice.value)
        for connection in list_making_connections(services, "workspace")
        for choice in await list_templates(services, request.principal, connection)
        if choice_name in {fold(choice.label), fold(choice.value)}
    ]
    return matching[0] if len(matching) == 1 else None
