"""Reading of a person's text as a frame: a verb, its objects, and a time; pure.

Names come first, then times, then guards: what is forbidden, depends on something, is asked or quoted. The
grammar reads verb, names and time of what is left completely or not at all: only a frame of which no word is
left over is done (``bot.features.sentences.decisions``). Everything else is a follow-up of what was said
before (``bot.features.sentences.follow_ups``), or is ranked and proposed
(``bot.features.sentences.proposals``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, Literal

from bot.domain import time_parsing
from bot.features.sentences import phrasebook, times
from bot.features.sentences.clauses import is_contrast, is_only_contrast, split_asides
from bot.features.sentences.ranker import replace_with_placeholders
from bot.features.sentences.selection import How, Which, find_obstacle, select, split_tokens
from bot.features.sentences.words import (
    VerbMatch,
    are_run_list,
    count_leading,
    count_trailing,
    drop_account_words,
    drop_job_fillers,
    drop_line_ends,
    drop_nouns,
    drop_plan_words,
    drop_running,
    drop_trailing_courtesy,
    drop_wait,
    is_emoji,
    is_line_end,
    is_sign,
    is_struck_out,
    match_verb,
    replace_after_that,
    split_at_commas,
    split_time_flags,
)
from bot.messages.verb import find_verb, is_operation
from handlers import intents, vocabulary
from handlers.command_line import MAX_WORDS, Quoted, drop_words, fold_word, is_clause_end, parse_new_name
from handlers.names import Names, strip_end
from handlers.request import Manner

Kind = Literal["verb", "question", "talk", "several", "nothing"]
#: So many words that nobody knows may be a name, where nothing else is named.
_MAX_NAME_WORDS: Final = {Manner.TYPED: 4, Manner.PARAPHRASED: 2, Manner.TENTATIVE: 2}
#: Verbs of which the words after them may be anything.
_FREE_TEXT_VERBS: Final = frozenset({"alias", "card", "add", "run", "schedule"})
#: Questions that only ask for it to be done.
_REQUESTS: Final = (("will", "you"), ("would", "you"), ("could", "you"))
#: What introduces a program's own words and the fields of a form.
_FLAG: Final = "--"
#: Verbs of runs and jobs that take nothing beside a name, and what says nothing there.
_RUN_VERBS: Final = frozenset({"run", "stop", "status", "logs", "result"})
_RUN_FILLERS: Final = vocabulary.JOB_WORDS | vocabulary.BEFORE_A_NAME | vocabulary.PLEASE_WORDS
#: What is talked about in a clause that says nothing, and the most clauses.
_COURTEOUS_TOPICS: Final = frozenset({"hello", "thanks", "yes"})
_MAX_CLAUSES: Final = 9


@dataclass(frozen=True, slots=True)
class Reading:
    """The frame of a text.

    ``what`` is a verb, a question, or a topic of small talk. ``words`` follow a verb that reads them by
    itself. ``how`` is whether it is forbidden, quoted, or depends on something. ``left`` are words without
    a meaning in the grammar.
    """

    kind: Kind = "nothing"
    what: str = ""
    folder: str = ""
    words: tuple[str, ...] = ()
    manner: Manner = Manner.TYPED
    which: Which = field(default_factory=Which)
    time: times.Times = field(default_factory=times.Times)
    how: How = ""
    left: tuple[str, ...] = ()
    #: Clauses beside the request that ask for nothing, and the words of the request without them.
    asides: tuple[str, ...] = ()
    core: tuple[str, ...] = ()
    #: It asks something, and nobody to do it.
    is_question: bool = False
    #: The words with placeholders for names and times (``bot.features.sentences.ranker``).
    placeholder_words: tuple[str, ...] = ()
    #: The words without courtesy around them.
    said: tuple[str, ...] = ()
    #: Several requests, each on its own; of what isn't full, its clauses.
    parts: tuple[Reading, ...] = ()
    #: The meaning that a feature gives to the whole text.
    intent: intents.Intent | None = None

    @classmethod
    def from_intent(cls, intent: intents.Intent) -> Reading:
        """Return the reading of a text that a feature has read."""
        which = Which(courses=intent.courses, workspaces=intent.workspaces, is_near=intent.is_near)
        return cls(
            intent.kind,
            intent.what,
            "workspace",
            intent.words,
            intent.manner,
            which,
            is_question=intent.is_question,
            intent=intent,
        )

    @property
    def when(self) -> time_parsing.Phrase | None:
        """Return the moment that it names."""
        return self.time.when

    @property
    def more(self) -> float:
        """Return the length of a prolongation, in seconds."""
        return self.time.more

    @property
    def hours(self) -> str:
        """Return working hours, as they follow a name after ``hours``."""
        return self.time.hours

    @property
    def verb(self) -> str:
        """Return the verb; "" for anything else."""
        return self.what if self.kind == "verb" else ""

    @property
    def is_full(self) -> bool:
        """Return whether it can be decided as it is: nothing is left over, asked, forbidden or unclear."""
        is_clear = not (self.how or self.left or self.asides or self.is_question or self.time.is_unread)
        return self.kind != "nothing" and is_clear


def read(
    written: Sequence[str],
    folder: str,
    verbs: Mapping[str, AbstractSet[str]],
    names: Names | None = None,
) -> Reading:
    """Return the reading of words that were written in a folder; never raises."""
    if not written:
        return Reading("verb", "list", folder)
    words = tuple(written)
    first = fold_word(words[0])
    if first not in verbs[folder] or (folder == "workspace" and is_operation(first)):
        # The others read their words by themselves, as they were typed.
        words = tuple(piece for word in words[:MAX_WORDS] for piece in split_at_commas(word))[:MAX_WORDS]
        while len(words) > 1 and is_sign(words[0]):
            words = words[1:]
    return _Text(words, folder, verbs, names or Names()).read()


def add_placeholders(reading: Reading, words: Sequence[str], names: Names) -> Reading:
    """Add the words of a text with placeholders to its reading, also to a full one."""
    text = _Text(tuple(words), reading.folder or "workspace", {}, names)
    return (
        reading
        if reading.placeholder_words
        else replace(reading, placeholder_words=text._make_placeholder_words())
    )


class _Text:
    """Read one text."""

    def __init__(
        self, words: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]], names: Names
    ) -> None:
        self.folder = folder
        self.verbs = verbs
        self.names = names
        self.written = self._replace_with_list(replace_after_that(words, folder, verbs))

    def _replace_with_list(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return words with the list after a colon in place of *everything* before it."""
        at = next((at for at, word in enumerate(words, 1) if word.endswith(":")), 0)
        selected = self._select(words[at:]) if at else Which()
        every = (begin for begin in range(1, at) if count_leading(words[begin:], phrasebook.ALL_PHRASES))
        head = words[: next(every, at)]
        is_less = any(
            count_leading(words[at_:at], phrasebook.EXCEPTION_PHRASES) for at_ in range(len(head), at)
        )
        is_list = len(selected.named) > 1 and not (selected.unknown or selected.is_near or is_less)
        return head + words[at:] if is_list else words

    def read(self) -> Reading:
        """Read all as one request; where that leaves something over, clause by clause."""
        whole = self._read_whole()
        is_clear = whole.is_full and not whole.which.unknown
        if not is_clear and (reading := self._read_without_asides()) is not None:
            return replace(reading, said=whole.said)
        # A time is one of its own line alone.
        has_lines = whole.when is not None and any(map(is_line_end, self.written[:-1]))
        names = self._find_name_places(self.written)
        is_bound = whole.how == "quote" or (whole.how == "if" and not is_only_contrast(self.written, names))
        if (not whole.is_full or has_lines) and not is_bound:
            whole = replace(self._read_clauses(whole), said=whole.said, is_question=whole.is_question)
        return whole if whole.is_full else replace(whole, placeholder_words=self._make_placeholder_words())

    def _read_without_asides(self) -> Reading | None:
        """Return the reading of the words beside the asides; None where no clause is an aside."""
        core, asides = split_asides(self.written, self._find_name_places(self.written))
        if core == self.written:
            return None
        text = _Text(core, self.folder, self.verbs, self.names)
        reading = text.read()
        words = reading.placeholder_words or text._make_placeholder_words()
        if reading.kind == "talk":
            return None
        if reading.kind == "several":
            # Each is only offered.
            return replace(reading, which=Which(left_out=(*reading.which.left_out, *asides)))
        return replace(reading, asides=asides, core=core, placeholder_words=words)

    def _read_whole(self) -> Reading:
        first = fold_word(self.written[0])
        sentence = tuple(fold_word(word) for word in self.written if not is_emoji(word))
        sentence = tuple(word for word in sentence if word)
        is_quoted = any(isinstance(word, Quoted) for word in self.written)
        if not sentence and not is_quoted:
            # A sign that agrees, or one that says nothing.
            return Reading("talk", phrasebook.SMALL_TALK.get(tuple(map(fold_word, self.written)), "signs"))
        if not is_quoted and (topic := phrasebook.SMALL_TALK.get(sentence)):
            return Reading("talk", topic)
        if not is_quoted and sentence in phrasebook.WAITLIST_QUESTIONS:
            return Reading("verb", "waiting", "workspace", manner=Manner.PARAPHRASED)
        if (
            order := intents.read_order(self.written, lambda: self._find_name_places(self.written))
        ) is not None:
            verb, name = order
            is_order = verb == "unqueue" and not self._strip_courtesy(self.written)[1]
            is_question = is_order and self._is_question(self.written)
            return Reading("verb", verb, "workspace", name, Manner.PARAPHRASED, is_question=is_question)
        is_own_verb = first in self.verbs[self.folder] and (
            self.folder != "workspace" or not is_operation(first)
        )
        has_more_lines = first in _FREE_TEXT_VERBS and any(map(is_line_end, self.written[:-1]))
        if is_own_verb and not has_more_lines:
            is_own = self.folder == "job" and first in {"run", "schedule"}
            given = drop_line_ends(self.written[1:])
            reading = self._read_other_verb(first, self.folder, given, Manner.TYPED)
            if self.folder == "job" and first in _RUN_VERBS:
                reading = self._add_untaken_time(reading)
            is_question = self._is_question(self.written) and not is_own and first != "help"
            return replace(reading, is_question=is_question)
        if of_hours := self._read_hours():
            return of_hours
        words, is_polite = self._strip_courtesy(self.written)
        if topic := phrasebook.SMALL_TALK.get(tuple(map(fold_word, words))):
            return Reading("talk", topic)
        if not words:
            return Reading("talk", phrasebook.SMALL_TALK.get(sentence[-1:], "thanks"))
        reading = self._read_request(words)
        # `now?` asks, and so do other words that say nothing of their own.
        last = self.written[-1]
        ends_in_question = (
            not isinstance(last, Quoted)
            and last.endswith("?")
            and not count_trailing(self.written, _REQUESTS)
        )
        is_asking = ends_in_question or self._is_question(words)
        is_question = reading.is_question or (not is_polite and is_asking)
        titles = (workspace.title for span in self.names.find_spans(words) for workspace in span.workspaces)
        is_out = any(map(is_struck_out, self.written)) and not any("~" in title for title in titles)
        return replace(
            reading, is_question=is_question, how=reading.how or ("quote" if is_out else ""), said=words
        )

    def _is_question(self, words: tuple[str, ...]) -> bool:
        is_asked = not isinstance(words[-1], Quoted) and words[-1].endswith("?")
        is_begun = fold_word(words[0]) in vocabulary.QUESTION_WORDS and 0 not in self._find_name_places(words)
        return is_asked or (is_begun and tuple(map(fold_word, words[:2])) != ("do", "not"))

    def _strip_courtesy(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return the words without courtesy around them, and whether somebody was asked to do it."""
        is_polite = False
        while words and (count := count_leading(words, phrasebook.COURTESY)):
            is_polite = is_polite or count > 1 or fold_word(words[0]) in vocabulary.PLEASE_WORDS
            words = words[count:]
        # What ends a name is no courtesy.
        rest = words[
            : max(len(drop_trailing_courtesy(words)), *(at + 1 for at in self._find_name_places(words)), 0)
        ]
        dropped = {fold_word(word) for word in words[len(rest) :]}
        return rest, is_polite or not vocabulary.PLEASE_WORDS.isdisjoint(dropped)

    # -- a verb, names and a time ----------------------------------------------------------------------------

    def _read_request(self, words: tuple[str, ...]) -> Reading:
        """Read a verb, its objects, and a time; any other words are left over."""
        is_name = bool(self.names.find_spans((" ".join(words),)))
        words = self._replace_postponing(words)
        timed = words if is_name else split_time_flags(words)
        times_found = times.Times() if is_name else times.find(timed, self._find_name_places(timed))
        is_until = times_found.when is not None and times_found.when.lead in {"until", "till", "til", "at"}
        if fold_word(words[0]) in phrasebook.EXTENDING and not is_until:
            timed = (*timed, "longer")
            times_found = times.find(timed, self._find_name_places(timed))
        body, _ = self._strip_courtesy(
            tuple(word for at, word in enumerate(timed) if at not in times_found.places)
        )
        runs_verb = len(body) > 1 and fold_word(body[0]) == "run" and is_operation(fold_word(body[1]))
        # `run stop report`
        body = body[1:] if runs_verb and 1 not in self._find_name_places(body) else body
        opening = match_verb(body, self.folder, self.verbs) if body else VerbMatch()
        is_called = (
            bool(body)
            and 0 in self._find_name_places(body)
            and fold_word(body[0]) not in self.verbs[self.folder]
        )
        if is_called or not opening.verb:
            return self._read_without_verb(body, times_found)
        manner = Manner.TYPED if fold_word(words[0]) == opening.verb else Manner.PARAPHRASED
        if fold_word(words[0]) == "run" and any(
            opening_.connection for opening_ in self.names.find_spans(words[1:2])
        ):
            return Reading("verb", "run", "job", words[1:], Manner.PARAPHRASED)
        if (opening.verb, manner) == ("run", Manner.PARAPHRASED) and self._find_name_places(opening.rest):
            opening = opening._replace(verb="start", folder="workspace")
        if opening.verb == "new" and is_until and self._select(opening.rest).workspaces:
            # `make report 5:30 instead`
            opening = opening._replace(verb="keep")
        before: tuple[str, ...] = ()
        if opening.verb in _FREE_TEXT_VERBS:
            # Times are words like any other there, but not those before it.
            openings = (match_verb(words[at:], self.folder, self.verbs) for at in range(len(words)))
            matches = (
                (at, opening_) for at, opening_ in enumerate(openings) if opening_.verb == opening.verb
            )
            begin, opening = next(matches, (0, opening))
            before, _ = self._strip_courtesy(words[:begin])
        if opening.verb == "alias":
            opening = opening._replace(rest=drop_trailing_courtesy(opening.rest))
        if opening.folder == "workspace" and is_operation(opening.verb):
            reading = self._read_command(opening.verb, opening.rest, manner)
            order = times_found.write_order(opening.verb)
            if reading.kind != "verb":
                return reading
            if reading.verb == "keep" and (day := times_found.open_day):
                # `keep it tonight`: no end of it.
                return replace(reading, asides=(day,), core=body)
            is_unread = times_found.is_unread and not order
            return replace(reading, time=replace(times_found, hours=order, is_unread=is_unread))
        reading = self._read_other_verb(opening.verb, opening.folder, opening.rest, manner)
        if opening.verb == "alias" and self._is_new_name(opening.rest):
            reading = replace(reading, manner=Manner.TYPED)
        left = (*before, *self._find_strange_words(reading))
        # What is named may belong to something else: `all off but report`.
        about = self._read_without_verb(body, times_found) if left else reading
        time = times.Times() if opening.verb in _FREE_TEXT_VERBS and not left else times_found
        return replace(reading, time=time, left=left, which=about.which, how=about.how)

    def _replace_postponing(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Replace a verb that postpones by a length with *extend*: ``push it back an hour``."""
        length = times.find(words, self._find_name_places(words))
        is_length = "long" in length.kinds.values() or (length.when is not None and length.when.lead == "by")
        if fold_word(words[0]) not in phrasebook.POSTPONING or not is_length:
            return words
        return ("extend", *(word for word in words[1:] if fold_word(word) not in {"back", "by"}))

    def _add_untaken_time(self, reading: Reading) -> Reading:
        """Return an act on a run or a job with the time beside its name, which none of these takes."""
        words = reading.words
        if len(words) > MAX_WORDS or any(word.startswith(_FLAG) for word in words):
            return reading
        places = self._find_name_places(words)
        time = times.find(words, places)
        others = drop_words(tuple(word for at, word in enumerate(words) if at not in places), _RUN_FILLERS)
        is_named = any(span.runs or span.jobs for span in self.names.find_spans(words))
        if not (others and is_named):
            return reading
        return replace(reading, left=others, time=time, which=self._select(words))

    def _is_new_name(self, words: tuple[str, ...]) -> bool:
        """Return whether words are the name of a workspace and another one: ``report to weekly``."""
        spans = self.names.find_spans(words)[:1]
        begins_with_name = bool(spans) and spans[0].begin == 0 and bool(spans[0].workspaces)
        given = words[spans[0].end :] if begins_with_name else ()
        is_marked = len(given) > 1 and parse_new_name(given[:2]) == given[1]
        return (
            is_marked or any(isinstance(word, Quoted) for word in given[:1])
        ) and " " not in parse_new_name(given)

    def _read_hours(self) -> Reading | None:
        """Read a sentence about working hours: what they are, none tomorrow, or none any more."""
        places = self._find_name_places(self.written)
        order = times.read_hours_order(self.written, places)
        every = Which() if order is None else self._select(self.written)
        if order is None or ((every.jobs or every.runs) and not every.workspaces):
            return None
        about = [
            word
            for at, word in enumerate(self.written)
            if at in places or fold_word(word) in vocabulary.SINGULAR_PRONOUNS
        ]
        if (
            not about
            and times.is_exception(order)
            and phrasebook.OF_ALL_HOURS & set(map(fold_word, self.written))
        ):
            about = ["all"]
        is_question = bool(order) and self.written[-1].endswith("?")
        time, which = times.Times(hours=order), self._select(tuple(about))
        return Reading(
            "verb", "hours", "workspace", (), Manner.PARAPHRASED, which, time, is_question=is_question
        )

    def _read_without_verb(self, body: tuple[str, ...], found: times.Times) -> Reading:
        """Return the reading of words without a verb: more time, hours, or a possible follow-up."""
        pieces = split_tokens(body, self.names)
        which = select(pieces, self.names, is_question=True)
        if found.hours and any(fold_word(word) in phrasebook.DOWN_PARTICLES for word in body):
            # `report every evening off at 8`
            found = replace(found, hours=times.write_order("stop", found.wanted))
        kind: Kind = "verb" if found.more or found.hours else "nothing"
        verb = "keep" if found.more else "hours" if found.hours else ""
        left = tuple(word for word in which.unknown if fold_word(word) not in phrasebook.GIVING)
        how = find_obstacle(pieces, which)
        return Reading(kind, verb, "workspace", body, Manner.PARAPHRASED, which, found, how, left)

    def _read_command(self, verb: str, words: tuple[str, ...], manner: Manner) -> Reading:
        """Return the reading of a verb of workspaces, with its objects."""
        if [fold_word(word) for word in words] in (["nothing"], ["none"]):
            return Reading("talk", "left_alone")
        if verb in {"cancel", "remove", "stop", "forget", "keep"}:
            planned = drop_plan_words(words, self._find_name_places(words))
            verb, words = ("keep", planned or ("it",)) if planned is not None else (verb, words)
        if verb == "keep":
            words = drop_running(words)
        if verb == "start" and len(rest := drop_wait(words)) < len(words):
            verb, words = "queue", rest
        if verb == "forget" and manner is Manner.PARAPHRASED:
            manner = Manner.TENTATIVE
        if words and self.names.find_spans((" ".join(words),)):
            # A name always comes first, however it reads and however long it is.
            words = (" ".join(words),)
        pieces = split_tokens(words, self.names)
        which = select(pieces, self.names)
        general = drop_words(words, vocabulary.BEFORE_A_NAME)
        if (
            verb == "start"
            and not which.workspaces
            and general
            and fold_word(general[0]) in {"new", "another"}
        ):
            return self._read_other_verb("new", "workspace", words, Manner.PARAPHRASED)
        if (of_job := self._read_job_verb(verb, words, which)) is not None:
            return (
                of_job
                if of_job.which.jobs
                else replace(of_job, manner=manner, left=self._find_strange_words(of_job))
            )
        left = self._find_unread_words(which, manner, words)
        if which.place:
            # `the first two` aren't the first.
            left += tuple(word for word in words if fold_word(word) in phrasebook.COUNT_WORDS)
        return Reading(
            "verb", verb, "workspace", words, manner, which, how=find_obstacle(pieces, which), left=left
        )

    def _find_unread_words(self, which: Which, manner: Manner, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words that are neither names nor may be one that nobody knows."""
        unknown = which.unknown
        if which.jobs and not (which.workspaces or which.runs):
            # None of these verbs takes one that has no run.
            return (*unknown, *(job.name for job in which.jobs))
        if which.is_theirs or not unknown:
            return which.left_out if not which.is_theirs else ()
        if replace(which, unknown=(), connections=()).is_nothing:
            return () if len(unknown) <= _MAX_NAME_WORDS[manner] else unknown
        is_enumerated = bool(which.workspaces) and not (which.is_described or which.left_out)
        places = [at for at, word in enumerate(words) if strip_end(word) in unknown]
        orders = any(match_verb(words[at:], self.folder, self.verbs).verb for at in places)
        return () if is_enumerated and not orders else which.left_out or unknown

    def _read_job_verb(self, verb: str, words: tuple[str, ...], which: Which) -> Reading | None:
        """Return the verb of jobs or runs for a verb of workspaces; None if it is about neither."""
        of_job = find_verb("workspace", verb).of_run
        if of_job not in self.verbs.get("job", ()) or which.workspaces:
            return None
        if which.jobs and of_job == "run" and not (which.runs and verb == "restart"):
            candidates = [job_ for job_ in which.jobs if which.connections in {(), (job_.connection,)}]
            job, is_single = which.jobs[0], not which.is_near and len(candidates) == 1
            left = which.left_out if is_single else tuple(job_.name for job_ in which.jobs)
            how = find_obstacle(split_tokens(words, self.names), which)
            words = (*(job_.connection for job_ in candidates[:1]), Quoted(job.name))
            return Reading("verb", "run", "job", words, which=which, how=how, left=left)
        about = drop_words(words, vocabulary.BEFORE_A_NAME | {"all", "running"})
        first = fold_word(about[0]) if about else ""
        is_general = first in vocabulary.JOB_WORDS and (len(words) > 1 or first.endswith("s"))
        if not is_general or (of_job == "run" and first in {"run", "runs"}):
            return None
        return Reading("verb", of_job, "job", drop_job_fillers(of_job, about[1:], is_typed=False))

    def _read_other_verb(self, verb: str, folder: str, words: tuple[str, ...], manner: Manner) -> Reading:
        """Return a verb that reads its words, as far as they belong to it."""
        if verb not in _FREE_TEXT_VERBS and len(words) > 1 and not times.ends_in_exception(words):
            words = drop_trailing_courtesy(words)
        if verb == "help":
            topics = {fold_word(word) for word in words} - vocabulary.BEFORE_A_NAME - {"with", "about"}
            if topics and topics <= vocabulary.JOB_WORDS - {"run"}:
                return Reading("verb", "help", "job")
            words = self._find_help_topic(words)
        elif folder == "job":
            words = drop_job_fillers(verb, words, is_typed=manner is Manner.TYPED)
        elif verb in {"link", "unlink"}:
            words = drop_account_words(verb, words)
        elif verb == "list" and are_run_list(words):
            folder = "job"
        elif verb == "new":
            about = drop_words(words, vocabulary.BEFORE_A_NAME)
            if about and fold_word(about[0]) in vocabulary.JOB_WORDS:
                return Reading("verb", "run", "job", about[1:], Manner.PARAPHRASED)
            words = drop_nouns(words)
        return Reading("verb", verb, folder, words, manner)

    def _find_help_topic(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the verb that somebody wants help with: the first word that means one."""
        if words and fold_word(words[0]) in {"all", "everything"}:
            return ("all",)
        verbs = self.verbs["workspace"] | self.verbs[self.folder]
        openings = (match_verb(words[at:], self.folder, self.verbs) for at in range(len(words)))
        topic = next((opening.verb for opening in openings if opening.verb in verbs - {"help"}), "")
        return (topic,) if topic else drop_words(words, vocabulary.BEFORE_A_NAME)

    def _find_strange_words(self, reading: Reading) -> tuple[str, ...]:
        """Return the words after a verb that are no objects of it."""
        places = self._find_name_places(reading.words)
        spans = self.names.find_spans(reading.words)
        is_named = any(span.runs or span.jobs or span.connection for span in spans)
        if reading.verb in {"run", "schedule"} and not is_named:
            return drop_words(reading.words, vocabulary.JOB_WORDS | vocabulary.BEFORE_A_NAME)
        if reading.verb == "run" and any(span.runs or span.jobs for span in spans):
            return self._add_untaken_time(reading).left
        if reading.verb == "help" and len(reading.words) > 1:
            return reading.words
        has_more_clauses = any(
            map(is_clause_end, reading.words[:-1])
        ) or not vocabulary.THEN_WORDS.isdisjoint(reading.words[2:])
        if reading.verb == "alias" and has_more_clauses:
            return reading.words
        if reading.manner is Manner.TYPED or reading.verb in _FREE_TEXT_VERBS:
            return ()
        explained = vocabulary.LIST_WORDS | vocabulary.STATE_WORDS.keys() | vocabulary.RUN_STATES.keys()
        explained |= set().union(*self.verbs.values()) if reading.verb == "help" else set()
        return tuple(
            word
            for at, word in enumerate(reading.words)
            if at not in places and fold_word(word) not in explained
        )

    # -- clauses -------------------------------------------------------------------------------------------

    def _read_clauses(self, whole: Reading) -> Reading:
        """Read clause by clause, *it* being the last name; unread clauses are left over.

        Where clauses ask for something in other words, each is a part of its own.
        """
        cuts = self._find_clause_starts()
        if not 2 < len(cuts) <= _MAX_CLAUSES:
            return whole
        orders, others, banned, remaining = list[Reading](), list[Reading](), list[Reading](), list[str]()
        about = Which()
        for begin, end in pairwise(cuts):
            words = self._get_clause(begin, end)
            if not words:
                continue
            part = _Text(words, self.folder, self.verbs, self.names)._read_whole()
            if (
                part.how == "if"
                and vocabulary.CONDITIONS.intersection(map(fold_word, words)) - phrasebook.CONTRASTS
            ):
                return whole
            if part.kind == "talk" and part.what in _COURTEOUS_TOPICS:
                continue
            # `we're done with lab. stop it`: that is no request of its own.
            others = [other for other in others if part.which.points != "it" or not other.which.workspaces]
            is_when = part.when and not (part.verb or part.how or part.which.is_named)
            part = _continue(part, orders, about)
            about = part.which if part.which.workspaces else about
            if is_when and orders and not orders[-1].when:
                # `start report, but not before six`: when belongs to it, the rest to nothing.
                orders[-1] = replace(orders[-1], time=part.time)
                remaining += [" ".join(part.left)] if part.left else []
            elif part.is_full and part.folder == "workspace" and is_operation(part.verb):
                orders = _append_request(orders, part)
            else:
                remaining.append(strip_end(" ".join(words)))
                group = banned if part.how == "not" else others
                group += [part] if _find_first_name(part) else []
        if len({_find_first_name(part_) for part_ in (*orders, *others, *banned)} - {""}) > 1 and others:
            parts = [self._get_clause(begin, end) for begin, end in pairwise(cuts)]
            texts = [_Text(words, self.folder, self.verbs, self.names) for words in parts if words]
            return replace(
                whole,
                parts=tuple(
                    replace(part_._read_whole(), placeholder_words=part_._make_placeholder_words())
                    for part_ in texts
                ),
            )
        if not orders or not all(part.which.workspaces for part in orders):
            return whole
        if len(orders) == 1:
            is_banned = any(part.which.named == orders[0].which.named for part in banned)
            return replace(orders[0], left=tuple(remaining), how="not" if is_banned else "")
        return Reading("several", which=Which(left_out=tuple(remaining)), parts=tuple(orders))

    def _get_clause(self, begin: int, end: int) -> tuple[str, ...]:
        """Return the words of a clause without conjunctions."""
        words = self.written[begin:end]
        while words and fold_word(words[0]) in vocabulary.THEN_WORDS | {"but"}:
            words = words[1:]
        while words and fold_word(words[-1]) in vocabulary.THEN_WORDS:
            words = words[:-1]
        # `stop lab and start report instead`
        return words[:-1] if begin and len(words) > 1 and fold_word(words[-1]) == "instead" else words

    def _find_clause_starts(self) -> list[int]:
        """Return the places at which clauses may begin, and the end."""
        words, starts = self.written, [0]
        within = {at for span in self.names.find_spans(words) for at in range(span.begin + 1, span.end)}
        places = self._find_name_places(words)
        # Two times are two requests: `stop report at 5 and lab at 6`.
        are_timed = bool(times.find(words, places).more_times)
        for at, (before, word) in enumerate(pairwise(words), 1):
            is_joined = fold_word(before) in vocabulary.THEN_WORDS and (are_timed or at not in places)
            is_order = (
                at - 1 in places and is_operation(fold_word(word)) and is_operation(fold_word(words[0]))
            )
            is_begun = is_clause_end(before) or is_joined or is_order or fold_word(word) in phrasebook.REASONS
            is_begun |= is_contrast(words[at:])
            if at not in within and is_begun:
                starts.append(at)
        return [*starts, len(words)]

    # -- which ---------------------------------------------------------------------------------------------

    def _select(self, words: tuple[str, ...]) -> Which:
        return select(split_tokens(words, self.names), self.names, is_question=True)

    def _find_name_places(self, words: tuple[str, ...]) -> set[int]:
        """Return the places of names."""
        return {at for span in self.names.find_spans(words) for at in range(span.begin, span.end)}

    def _make_placeholder_words(self) -> tuple[str, ...]:
        """Return the words with placeholders for names and times."""
        words = split_time_flags(self.written)
        places = self._find_name_places(words)
        times_found = times.find(words, places)
        return replace_with_placeholders(
            words, self.names.find_placeholders(words), times_found.kinds, places | times_found.places
        )


def _find_first_name(part: Reading) -> str:
    """Return the first of one's own things that a clause names, "" for none."""
    ids = [*(workspace.id for workspace in part.which.named), *(run.id for run in part.which.runs)]
    return next(iter([*ids, *(job.name for job in part.which.jobs)]), "")


def _continue(part: Reading, orders: Sequence[Reading], about: Which) -> Reading:
    """Return a clause completed from those before: the verb of names alone, and the object of *it*."""
    is_same = part.kind == "nothing" and part.which.workspaces and not (part.left or part.how)
    if is_same and orders and not part.is_question:
        return replace(orders[-1], which=part.which, time=part.time, words=part.words)
    if about.workspaces and (part.which.points == "it" or part.which.is_nothing):
        return replace(part, which=replace(about, left_out=()))
    return part


def _append_request(parts: Sequence[Reading], part: Reading) -> list[Reading]:
    """Return requests with one more; one that says until when the last runs belongs to that."""
    last = parts[-1] if parts else None
    if last is None or part.which.named != last.which.named or None not in (last.when, part.when):
        return [*parts, part]
    if part.what == "stop" and part.when and last.what in {"start", "restart", "resume"}:
        until = replace(part.time, when=time_parsing.Phrase("until", part.when.text))
        return [*parts[:-1], replace(last, time=until)]
    return [*parts, part]
