"""Read what a person wrote: what they want, of which, when, and how it is put; pure.

*What* is one of Usher's verbs, by any of its words, or a question; *which* are names anywhere among the
words, or what was spoken of; *when* a time or a length; *how* whether it is forbidden or on a condition. What
is done about it is decided elsewhere, by one table (``handlers.deciding``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, Literal

from bot.domain import moments
from handlers.command_line import ENDS, Quoted, plain
from handlers.language import hours, vocabulary
from handlers.language.names import HARMLESS, How, Names, Which, how_of, pieces_of, plain_end, which_of
from handlers.language.words import (
    Manner,
    Opening,
    are_list,
    are_run_list,
    begins,
    ends_clause,
    is_emoji,
    is_sign,
    is_struck,
    led,
    near_verbs,
    opening_of,
    topic_of,
    with_times,
    without,
    without_account,
    without_end,
    without_nouns,
    without_plan,
    without_running,
    words_of_job,
)

#: Longer texts are no requests; a name of a provider has at most 255 characters.
MOST_WORDS: Final = 100
Kind = Literal["verb", "question", "talk", "several", "nothing"]
#: Verbs of workspaces whose objects are read here; the others read the words after them by themselves.
READ: Final = frozenset(
    {"start", "stop", "restart", "suspend", "resume", "keep", "open", "status", "cancel", "remove", "forget"}
)
#: Verbs that take a time.
TIMED: Final = frozenset({"start", "stop", "restart", "suspend", "resume", "keep"})
_SHOWS: Final = frozenset(
    {"status", "open", "list", "logs", "help", "settings", "whoami", "version", "about"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what was understood.

    ``what`` is a verb, what is asked (``Asked``), or what is talked about. ``words`` follow a verb that reads
    them by itself. ``how`` is whether it is forbidden, or depends on something.
    """

    kind: Kind = "nothing"
    what: str = ""
    folder: str = ""
    words: tuple[str, ...] = ()
    manner: Manner = Manner.TYPED
    which: Which = field(default_factory=Which)
    when: moments.Phrase | None = None
    more: float = 0.0
    #: Working hours, as they follow a name after ``hours``.
    hours: str = ""
    how: How = ""
    #: A question about Usher itself (``bot.messages.texts.facts``).
    topic: str = ""
    #: Written in another language.
    is_foreign: bool = False
    #: The words without courtesy around them, after *no* where they correct what was understood.
    said: tuple[str, ...] = ()
    #: Several requests, each on its own.
    parts: tuple[Reading, ...] = ()

    @property
    def verb(self) -> str:
        """Return the verb; "" for anything else."""
        return self.what if self.kind == "verb" else ""


#: What leads to a clause, its other words, and what they mean on their own.
Clause = tuple[str, tuple[str, ...], Reading]


def read(
    written: Sequence[str],
    folder: str,
    verbs: Mapping[str, AbstractSet[str]],
    names: Names | None = None,
) -> Reading:
    """Return what the words mean, for somebody who wrote them in a folder; never raises."""
    if not written:
        return Reading("verb", "list", folder)
    words = tuple(written)
    first = plain(words[0])
    if first not in verbs[folder] or (folder == "workspace" and first in READ):
        # The others read their words by themselves, as they were typed.
        words = tuple(piece for word in words[:MOST_WORDS] for piece in _at_commas(word))[:MOST_WORDS]
        while len(words) > 1 and is_sign(words[0]):
            words = words[1:]
    return _Sentence(words, folder, verbs, names or Names()).read()


def _at_commas(word: str) -> list[str]:
    """Split a word at its commas, which stay: ``a,b``."""
    if isinstance(word, Quoted) or "," not in word.rstrip(",") or "://" in word:
        return [word]
    return [f"{piece}," for piece in word.split(",") if piece]


class _Sentence:
    """Read one sentence."""

    def __init__(
        self, words: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]], names: Names
    ) -> None:
        self.written = words
        self.folder = folder
        self.verbs = verbs
        self.names = names
        self.is_question = not isinstance(words[-1], Quoted) and words[-1].endswith("?")

    def read(self) -> Reading:
        """Read all as one request; where that leaves something over, clause by clause."""
        whole = self._as_one()
        return whole if _is_read(whole) else self._in_clauses(whole)

    def _as_one(self) -> Reading:
        first = plain(self.written[0])
        is_typed = first in self.verbs[self.folder] and (
            first not in {"forget", "stop"} or tuple(map(plain, self.written)) not in vocabulary.TALK
        )
        manner = Manner.ASKED if self.is_question or is_struck(self.written[0]) else Manner.TYPED
        if is_typed and (self.folder != "workspace" or first not in READ):
            is_own = self.folder == "job" and first in {"run", "schedule"}
            return self._by_itself(first, self.written[1:], Manner.TYPED if is_own else manner)
        if of_hours := self._of_hours():
            return of_hours
        if is_typed:
            opening = self._opening(self.written)
            if opening.is_wanted or (opening.verb == "new" and not without_nouns(opening.rest)):
                return self._imperative(self.written, Manner.SAID) or Reading(words=self.written)
            return self._command(first, "workspace", self.written[1:], manner)
        return self._whole(self.written) or self._sentence()

    # -- sentences -----------------------------------------------------------------------------------------

    def _sentence(self) -> Reading:
        if plain(self.written[0]) in vocabulary.QUOTES:
            return self._mentioned(self.written[1:] or self.written)
        words, is_polite = self._without_courtesy(self.written)
        words, is_foreign = self._translated(words)
        said = self.written[:1] + words if plain(self.written[0]) == "and" else words
        while (count := begins(words, vocabulary.CORRECTING)) and words[count:]:
            rest, _ = self._without_courtesy(words[count:])
            verbs = self._named_verbs(rest)
            is_clear = len(rest) > 1 and (ends_clause(words[count - 1]) or verbs[:1] == ("keep",))
            if not rest or (verbs and verbs[0] != "cancel" and not is_clear):
                break
            words, said = rest, rest if verbs else ("no", *rest)
        if len(words) > 1 and plain(words[0]) == "make" and plain(words[1]) in vocabulary.IT:
            words = words[1:]
        if not words:
            topics = {vocabulary.TALK.get((plain(word),)) for word in self.written}
            order = ("thanks", "yes") if plain(self.written[0]) in {"ok", "okay"} else ("yes", "thanks")
            topic = next((one for one in order if one in topics), "hello")
            return Reading("talk", "foreign" if is_foreign else topic)
        manner = Manner.ASKED if is_foreign or (self.is_question and not is_polite) else Manner.SAID
        found = (
            self._whole(words)
            or self._on_topic(words)
            or self._how_to(words)
            or self._whether(words)
            or self._question(words, is_polite=is_polite)
            or self._imperative(words, manner)
            or self._embedded(words)
            or self._mistyped(words)
            or self._mentioned(words, is_polite=is_polite)
        )
        return replace(found, is_foreign=is_foreign, said=said)

    def _without_courtesy(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return the words without courtesy around them, and whether somebody was asked to do it."""
        is_polite = False
        while words and (count := begins(words, vocabulary.COURTESY)):
            if begins(words, vocabulary.HOW_TO):
                break
            is_polite = is_polite or count > 1 or plain(words[0]) in vocabulary.PLEASE
            words = words[count:]
        return without_end(words, is_polite=is_polite)

    def _translated(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return the words with those of other languages in English, and whether there were any.

        A word that is a name decides nothing.
        """
        found: list[str] = []
        is_foreign = False
        for at, word in enumerate(words):
            folded = plain(word)
            is_one = at not in self._named(words) and folded in vocabulary.TONGUES
            is_foreign = is_foreign or (is_one and folded not in vocabulary.ASKING)
            found.append(vocabulary.TONGUES[folded] if is_one else word)
        return (tuple(word for word in found if word), True) if is_foreign else (words, False)

    def _whole(self, words: tuple[str, ...]) -> Reading | None:
        """Read sentences that mean one thing as a whole."""
        sentence = tuple(plain(word) for word in words if plain(word).strip(ENDS) and not is_emoji(word))
        if not sentence and not any(isinstance(word, Quoted) for word in words):
            return Reading("talk", "hello")
        if talk := vocabulary.TALK.get(sentence):
            return Reading("talk", talk)
        folder, _, verb = vocabulary.SENTENCES.get(sentence, "").rpartition(" ")
        return self.made(verb, (), Manner.SAID, folder or "workspace") if verb else None

    def _how_to(self, words: tuple[str, ...]) -> Reading | None:
        count = begins(words, vocabulary.HOW_TO)
        is_meaning = len(words) > 2 and plain(words[0]) == "what" and plain(words[-1]) in {"do", "mean"}
        if not count and not is_meaning:
            return None
        rest = words[count:] if count else words[2:-1]
        rest = tuple(" ".join(rest).replace('"', "").split())
        named = [one.title for one in self._which(rest, is_question=True).named[:1]]
        explained = self._named_verbs(rest)
        of_job = _OF_JOBS.get(explained[0]) if explained else None
        if of_job and any(plain(word) in vocabulary.OF_JOBS for word in rest[1:]):
            return Reading("verb", "help", "job", (of_job,))
        return Reading("verb", "help", self.folder, (*explained, *named), Manner.SAID)

    def _whether(self, words: tuple[str, ...]) -> Reading | None:
        """Read a question whether to do something, which is offered."""
        count = begins(words, vocabulary.WHETHER)
        asked, _ = self._without_courtesy(words[count:])
        return self._imperative(asked, Manner.ASKED) if asked and count else None

    def _question(self, words: tuple[str, ...], *, is_polite: bool) -> Reading | None:
        """Read a question about how something is, or what doesn't work; nothing in it is done."""
        first = plain(words[0])
        if [plain(word) for word in words[:2]] == ["do", "not"]:
            return None
        is_short = self.is_question and not is_polite and not self._verb(words)
        is_asking = first in vocabulary.ASKING or begins(words, vocabulary.QUESTIONS)
        if not (is_asking or is_short or vocabulary.INABILITY.intersection(map(plain, words))):
            return None
        pieces = pieces_of(words, self.names)
        folded = [piece.word for piece in pieces if piece.word]
        about = [piece.word for piece in pieces]
        which = which_of(pieces, self.names, is_question=True)
        topic = topic_of(folded)
        if topic and (which.workspaces or not which.connections):
            return Reading("question", "state", which=which, topic=topic)
        is_of_jobs = any(word in vocabulary.OF_JOBS for word in folded) and "job" in self.verbs
        asked = self._asked(tuple(about), which, is_of_run=is_of_jobs or bool(which.runs))
        if asked:
            return Reading("question", asked, which=which)
        is_which = bool(folded) and (
            folded[0] in vocabulary.WHICH
            or set(folded) <= vocabulary.STATES.keys()
            or "anything" in folded
            or folded[:2] == ["how", "many"]
        )
        if is_of_jobs and not which.is_named and (is_which or not set(folded) & vocabulary.RESULTS):
            states = tuple(word for word in folded if word in vocabulary.RUN_STATES) if is_which else ()
            return self.made("list", states, Manner.SAID, "job")
        if is_of_jobs or which.runs:
            return Reading("question", "result", which=which)
        health = vocabulary.HEALTH.intersection(map(plain, self.written))
        if which.connections and not which.workspaces and health and not is_which:
            return Reading("question", "health", which=which)
        if is_short and not which.is_named and first not in vocabulary.ASKING:
            if not set(folded) <= vocabulary.OF_QUESTIONS:
                return None
            which = replace(which, points="it")
        return Reading("question", "list" if is_which else "state", which=which)

    def _asked(self, about: tuple[str, ...], which: Which, *, is_of_run: bool) -> str:
        """Return what else than the state a question asks for."""
        for asked, phrases in vocabulary.ASKED.items():
            if any(begins(about[at:], phrases) for at in range(len(about))):
                if asked in {"result", "output"} and not is_of_run and which.workspaces:
                    continue
                if is_of_run and not which.workspaces and asked != "output":
                    return "result"
                return "health" if asked == "why" and which.connections and not which.workspaces else asked
        return ""

    def _imperative(self, words: tuple[str, ...], manner: Manner) -> Reading | None:
        """Read a request: a verb or another word for one at its beginning, and what follows."""
        opening = self._opening(words)
        more = moments.longer(words)
        if more is not None and (opening.is_wanted or opening.verb in {"", "keep"}):
            rest = without(more[0], vocabulary.GIVING)
            return replace(self._command("keep", "workspace", rest, manner), more=more[1])
        if plain(words[0]) in vocabulary.SHOWING and opening.length - opening.is_wanted < 2:
            return self._shown(words[1:], manner)
        if opening.is_wanted:
            return self._wanted(opening, ())
        if opening.verb == "schedule" and any(span.workspaces for span in self.names.spans(words)):
            return self._embedded(words[1:])
        return self._of(opening.verb, opening.folder, opening.rest, manner) if opening.verb else None

    def _wanted(self, opening: Opening, before: tuple[str, ...]) -> Reading | None:
        """Read what somebody is done with, or would like to have; it is offered."""
        rest = (*before, *opening.rest)
        if any(piece.word in vocabulary.NEGATIONS for piece in pieces_of(rest, self.names)):
            return self._forbidden(rest)
        which = self._which(rest, is_question=True)
        is_about_any = which.is_named or which.points or which.is_all
        return self._command(opening.verb, "workspace", rest, Manner.ASKED) if is_about_any else None

    def _forbidden(self, words: tuple[str, ...]) -> Reading:
        """Read *don't …*: nothing is done, whatever it is."""
        pieces = pieces_of(words, self.names)
        verb = next((found for at in range(len(words)) if (found := self._verb(words[at:]))), "")
        which = which_of(pieces, self.names)
        if not verb and not which.is_named and (topic := topic_of([piece.word for piece in pieces])):
            return Reading("question", "state", topic=topic)
        return Reading("verb", verb or "status", "workspace", (), Manner.ASKED, which, how="not")

    def _opening(self, words: tuple[str, ...]) -> Opening:
        return opening_of(words, self.folder, self.verbs)

    def _verb(self, words: tuple[str, ...]) -> str:
        """Return the verb that words begin with, if they are more than a wish."""
        opening = self._opening(words)
        return "" if opening.is_wanted else opening.verb

    def _named_verbs(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the verbs that words name anywhere, the first two."""
        known = self.verbs["workspace"] | self.verbs[self.folder]
        found = [verb for at in range(len(words)) if (verb := self._verb(words[at:]))]
        return tuple(verb for verb in dict.fromkeys(found) if verb in known)[:2]

    def _shown(self, words: tuple[str, ...], manner: Manner) -> Reading:
        """Read what to show: everything, what another verb shows, or one thing."""
        while words and plain(words[0]) in vocabulary.BEFORE_SHOWN:
            words = words[1:]
        folded, which = [plain(word) for word in words], self._which(words, is_question=True)
        if vocabulary.GENERICS.intersection(folded[:1]) or set(folded) <= _LISTED:
            return self.made("list", words, manner, "workspace")
        opening = self._opening(words)
        if opening.verb in _SHOWS:
            return self._of(opening.verb, opening.folder, opening.rest, manner)
        return self._of_runs(folded, which) or Reading(
            "question", "state", which=which, topic=topic_of(folded)
        )

    def _of_runs(self, folded: Sequence[str], which: Which) -> Reading | None:
        """Read the newest run, or the output of one: ``last job``, ``output of etl``."""
        said = set(folded)
        is_newest = said & vocabulary.OF_JOBS and said & vocabulary.NEWEST
        asked = "output" if said & vocabulary.OUTPUTS and not which.workspaces else "result"
        return Reading("question", asked, which=which) if asked == "output" or is_newest else None

    def _on_topic(self, words: tuple[str, ...]) -> Reading | None:
        """Read a question about Usher itself, or what can't be done here: ``make notebook bigger``."""
        verb, first = self._verb(words), plain(self.written[0])
        is_asking = first in vocabulary.ASKING or begins(words, _ASKING) or (first in _MAY and not verb)
        if not is_asking and verb not in {"", "new"}:
            return None
        pieces = pieces_of(words, self.names)
        which = which_of(pieces, self.names, is_question=True)
        topic = topic_of([piece.word for piece in pieces_of(self.written, self.names)])
        is_state = topic == "itself" and (which.is_named or first in vocabulary.WHICH)
        is_about = which.workspaces or ((is_asking or verb == "new") and not which.connections)
        is_fact = topic and is_about and not is_state
        return Reading("question", "state", which=which, topic=topic) if is_fact else None

    def _embedded(self, words: tuple[str, ...]) -> Reading | None:
        """Read what is wanted, a list, or a verb that isn't at the beginning: ``notebook stop``; a guess."""
        openings = [(at, self._opening(words[at:])) for at in range(len(words))]
        wants = (self._wanted(one, words[:at]) for at, one in openings if one.is_wanted)
        if early := next(filter(None, wants), None):
            return early
        if are_list(words) or are_run_list(words):
            return self.made("list", words, Manner.SAID, "workspace")
        pieces = pieces_of(words, self.names)
        if any(piece.word in vocabulary.NEGATIONS for piece in pieces):
            return self._forbidden(words)
        for at, one in openings:
            if one.verb not in vocabulary.ANYWHERE or one.is_wanted or plain(words[at]) in vocabulary.NOUNS:
                continue
            before = words[at - 1 : at]
            if not at or ends_clause(before[0]) or begins(before, vocabulary.LEADING) or one.folder == "job":
                return None
            which, rest = self._which(self._times(words[:at])[0]), (*words[:at], *one.rest)
            is_first = not (which.is_named or which.unknown or which.points)
            return self._command(one.verb, "workspace", rest, Manner.SAID if is_first else Manner.ASKED)
        return None

    def _mistyped(self, words: tuple[str, ...]) -> Reading | None:
        """Read a request whose verb has a slip, of something that is named or forbidden; it is a guess."""
        near = [] if 0 in self._named(words) else near_verbs(plain(words[0]), "workspace", READ)
        found = self._command(near[0], "workspace", words[1:], Manner.ASKED) if near else None
        return found if found is not None and (found.which.named or found.how) else None

    def _mentioned(self, words: tuple[str, ...], *, is_polite: bool = False) -> Reading:
        """Read words without a verb: what is named is shown (or started: ``notebook please``), or nothing."""
        timeless, when = self._times(words)
        pieces = pieces_of(timeless, self.names)
        which = which_of(pieces, self.names, is_question=True)
        folded = [piece.word for piece in pieces if piece.word]
        if topic := topic_of(folded):
            return Reading("question", "state", which=which, topic=topic)
        if which.workspaces and folded and folded[-1] in vocabulary.ADDRESS:
            return self._command("open", "workspace", words[:-1], Manner.ASKED)
        if which.points and when is None and len(which.unknown) == 1 and which.unknown[0].isdecimal():
            # A bare number may be an hour or a length: it is said that it can't be read.
            which, when = replace(which, unknown=()), moments.Phrase("", which.unknown[0])
        if found := self._of_runs(folded, which):
            return found
        is_whole = when is not None or which.place or (which.points and not which.unknown)
        verb = (
            "start" if is_polite and which.workspaces and not (which.unknown or which.state or when) else ""
        )
        return Reading("nothing", verb, words=self.written if is_whole else words, which=which, when=when)

    # -- a verb and what follows it ------------------------------------------------------------------------

    def made(self, verb: str, words: tuple[str, ...], manner: Manner, folder: str = "") -> Reading:
        """Return a verb, in the first folder that has it; nothing for one that doesn't exist."""
        for place in (folder,) if folder else (self.folder, *self.verbs):
            if verb in self.verbs.get(place, ()):
                return self._of(verb, place, words, manner)
        return Reading(words=self.written)

    def _of(self, verb: str, folder: str, words: tuple[str, ...], manner: Manner) -> Reading:
        if folder == "workspace" and verb in READ:
            return self._command(verb, folder, words, manner)
        return self._by_itself(verb, words, manner, folder)

    def _by_itself(self, verb: str, words: tuple[str, ...], manner: Manner, folder: str = "") -> Reading:
        """Return a verb that reads its words, as far as they belong to it."""
        folder = folder or self.folder
        if verb == "help" and (spans := self.names.spans(words)) and manner is not Manner.TYPED:
            named = Which(workspaces=tuple(span.workspaces for span in spans if span.workspaces))
            return Reading("question", "state", which=named)
        if verb == "help":
            topics = {plain(word) for word in words} - _OF_HELP
            if topics and topics <= vocabulary.OF_JOBS - {"run"}:
                return Reading("verb", "help", "job")
            words = self._explained(words)
        elif folder == "job":
            if verb == "run" and manner is not Manner.TYPED and (again := self._run_again(words, manner)):
                return again
            words = words_of_job(verb, words, is_typed=manner is Manner.TYPED)
        elif verb in {"link", "unlink"}:
            words = without_account(verb, without_end(words)[0])
        elif verb == "list" and are_run_list(words):
            return Reading("verb", "list", "job", words, manner)
        elif verb == "list":
            words, _ = without_end(words)
        elif verb == "new":
            about = [word for word in words if plain(word) not in vocabulary.BEFORE_A_NAME]
            if about and plain(about[0]) in vocabulary.OF_JOBS:
                return Reading("verb", "run", "job", tuple(about[1:]), Manner.SAID)
            words = without_nouns(words)
        elif verb == "settings":
            words = ()
        return Reading("verb", verb, folder, words, manner)

    def _run_again(self, words: tuple[str, ...], manner: Manner) -> Reading | None:
        """Read a run by its name, by its state, or as *it*."""
        if failed := [run for word in words for run in self.names.runs_in(plain(word))]:
            words = (Quoted(failed[0].name),)
        which = self._which(words)
        is_one = which.runs or which.points == "it"
        return self._command("start", "workspace", words, manner) if is_one else None

    def _explained(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the verb that somebody wants help with: the first word that means one."""
        if not words or plain(words[0]) in self.verbs[self.folder]:
            return words[:1]
        if plain(words[0]) in {"all", "everything"}:
            return ("all",)
        found = tuple(verb for verb in self._named_verbs(words) if verb != "help")
        return found or tuple(word for word in words if plain(word) not in _OF_HELP)

    def _command(self, verb: str, folder: str, words: tuple[str, ...], manner: Manner) -> Reading:
        """Return a verb of workspaces, with which and when."""
        elsewhere = self._elsewhere(verb, words, manner)
        if elsewhere is not None:
            return elsewhere
        if verb == "forget" and manner is Manner.SAID:
            manner = Manner.ASKED
        is_typed = bool(words) and self.names.has(" ".join(words))
        if any(is_struck(word) for word in words) and not is_typed:
            manner = Manner.ASKED
        if words and self.names.spans((" ".join(words),)):
            # A name always comes first, however it reads.
            which = which_of(pieces_of((" ".join(words),), self.names), self.names)
            return Reading("verb", verb, folder, words, manner, which)
        words = with_times(without_end(words)[0])
        untimed, planned = hours.split(verb, words, self._named(words))
        is_about_one = self._which(untimed).workspaces or _points(untimed)
        if planned and not (hours.wanted_of(planned) or is_about_one):
            untimed, planned = words, ""
        more = 0.0
        if verb == "keep":
            untimed = without_running(untimed)
            untimed, more = moments.longer(untimed) or (untimed, 0.0)
        timeless, when = self._times(untimed)
        if timeless and plain(timeless[0]) in {"and", "or"} and 0 not in self._named(timeless):
            return Reading("talk", "one_at_a_time")
        pieces = pieces_of(timeless, self.names)
        which = which_of(pieces, self.names)
        topic = "" if which.is_named else topic_of([plain(word) for word in which.unknown])
        if topic:
            return Reading("question", "state", which=which, topic=topic)
        how = how_of(pieces, which, is_shown=verb in _SHOWS)
        return Reading("verb", verb, folder, words, manner, which, when, more, planned, how)

    def _elsewhere(self, verb: str, words: tuple[str, ...], manner: Manner) -> Reading | None:
        """Read what isn't about a workspace, or about another verb; None if it is."""
        if [plain(word) for word in words] in (["nothing"], ["none"]):
            return Reading("talk", "left_alone")
        if verb in {"cancel", "remove", "stop", "forget"}:
            rest, is_first = without_plan(words, self._named(words))
            if rest is not None:
                manner = manner if is_first or verb in {"cancel", "remove"} else Manner.ASKED
                return self._command("keep", "workspace", rest or ("it",), manner)
        about = without(words, vocabulary.BEFORE_A_NAME | {"all", "running"})
        first, of_job = plain(about[0]) if about else "", _OF_JOBS.get(verb, "")
        is_of_jobs = first in vocabulary.OF_JOBS and (len(words) > 1 or first.endswith("s"))
        if not (is_of_jobs and of_job in self.verbs.get("job", ())) or (
            of_job == "run" and first in {"run", "runs"}
        ):
            return None
        rest = words_of_job(of_job, about[1:], is_typed=False)
        return Reading("verb", of_job, "job", rest, Manner.SAID if manner is Manner.TYPED else manner)

    def _of_hours(self) -> Reading | None:
        """Read a sentence about working hours: what they are, none tomorrow, or none any more."""
        named = self._named(self.written)
        order = hours.about(self.written, named)
        if order is None:
            return None
        about = (word for at, word in enumerate(self.written) if at in named or plain(word) in vocabulary.IT)
        which = self._which(tuple(about))
        manner = Manner.ASKED if self.is_question and order else Manner.SAID
        return Reading("verb", "hours", "workspace", (), manner, which, hours=order)

    # -- clauses -------------------------------------------------------------------------------------------

    def _in_clauses(self, whole: Reading) -> Reading:
        """Read clause by clause, each as far as it leaves nothing over; what isn't read is named."""
        cuts = self._cuts()
        is_quote = plain(self.written[0]) in vocabulary.QUOTES
        joined = None if is_quote or not 2 < len(cuts) <= _MOST_CUTS else self._joined(self._clauses(cuts))
        return replace(joined, is_foreign=whole.is_foreign, said=whole.said) if joined else whole

    def _cuts(self) -> list[int]:
        """Return where clauses may begin, and the end."""
        words, found = self.written, [0]
        within = {at for span in self.names.spans(words) for at in range(span.begin + 1, span.end)}
        for at, (before, word) in enumerate(pairwise(words), 1):
            is_lead = begins(words[at:], vocabulary.LEADING) or plain(word) in vocabulary.REMARKS
            is_led = found[-1] == at - 1 and begins((before,), vocabulary.LEADING)
            if plain(word) in vocabulary.ONE_AT_A_TIME:
                former, _ = self._without_courtesy(words[found[-1] :])
                is_lead = self._verb(former) not in {"", plain(word)}
            if at not in within and (ends_clause(before) or (is_lead and not is_led and at < len(words) - 1)):
                found.append(at)
        return [*found, len(words)]

    def _clauses(self, cuts: Sequence[int]) -> list[Clause]:
        """Return the words between places as clauses, each as long as nothing is left over of it."""
        for end in range(len(cuts) - 1, 0, -1):
            lead, words = led(self.written[cuts[0] : cuts[end]])
            one = _Sentence(words, self.folder, self.verbs, self.names)._as_one()
            if _is_read(one) or end == 1:
                return [(lead, words, one), *self._clauses(cuts[end:])]
        return []

    def _joined(self, clauses: Sequence[Clause]) -> Reading | None:
        """Return the requests of clauses, *it* being what was named before; None if there is none."""
        parts: list[Reading] = []
        left: list[str] = []
        about, is_sure = Which(), True
        how: How = ""
        for (lead, words, one), then in zip(
            clauses, (*(lead for lead, _, _ in clauses[1:]), ""), strict=True
        ):
            pieces = pieces_of(words, self.names)
            named, said = which_of(pieces, self.names, is_question=True), {piece.word for piece in pieces}
            news = vocabulary.NEWS[bool(parts) and parts[-1].what in _BRINGS_LINK]
            if parts and begins(words, news) and not named.is_named:
                continue
            part = self._part(one, words, parts)
            is_reason = lead in vocabulary.REASONS and plain(words[0]) not in vocabulary.CONDITIONS
            is_why = one.what in _COURTEOUS or (one.kind != "talk" and (is_reason or then in vocabulary.SO))
            is_aside = is_why or plain(words[0]) in vocabulary.REMARKS or lead in {"", "so"}
            if part is not None and part.how != "not":
                is_sure &= lead[:2] != "if" or (lead != "if" and bool(self._verb(words)))
                parts = _with(parts, part, about)
            elif (one.kind == "talk" and not is_why) or (parts and (part is not None or not is_aside)):
                return None
            elif part is not None or lead == "if" or said & vocabulary.IF:
                is_sure, how = False, how if part or said <= vocabulary.IN_STATE else "if"
            elif not is_why:
                is_harmless = said <= HARMLESS and not (named.is_named and parts)
                may_mean_more = not parts and (named.is_named or said & vocabulary.NEGATIONS)
                is_sure = is_sure and is_harmless and not may_mean_more
                left += [] if is_harmless else [plain_end(" ".join(words))]
            about = named if named.workspaces else about
        if not parts:
            return next((one for _, _, one in clauses if one.what == "help" and one.words), None)
        (first, *more), which = parts, replace(parts[0].which, left_out=(*parts[0].which.left_out, *left))
        if not more:
            manner = Manner.SAID if is_sure and first.manner is not Manner.ASKED else Manner.ASKED
            return replace(first, which=which, how=how or first.how, manner=manner)
        if not all(map(_is_whole, parts)):
            return Reading("talk", "one_at_a_time")
        return Reading("several", which=Which(left_out=tuple(left)), parts=tuple(parts))

    def _part(self, one: Reading, words: tuple[str, ...], parts: Sequence[Reading]) -> Reading | None:
        """Return a clause as a request; one without a verb asks for the same as the one before."""
        asked, _ = self._without_courtesy(words)
        if not asked or (parts and plain(asked[0]) in vocabulary.REMARKS and one.when is None):
            return None
        if one.kind == "verb" and one.what in READ:
            return one
        if one.kind == "question" and one.which.workspaces:
            is_asked = words[-1].endswith("?") or plain(words[0]) in vocabulary.ASKING
            return Reading("verb", "status", "workspace", words, Manner.SAID, one.which) if is_asked else None
        if one.kind != "nothing" or not one.which.workspaces or one.which.unknown:
            return None
        if one.what == "start":
            return replace(one, kind="verb", folder="workspace", manner=Manner.SAID)
        is_same = bool(parts) and not self._which(self._times(words)[0]).unknown
        return replace(parts[-1], which=one.which, when=one.when, words=one.words) if is_same else None

    # -- which, and when -----------------------------------------------------------------------------------

    def _which(self, words: tuple[str, ...], *, is_question: bool = False) -> Which:
        return which_of(pieces_of(words, self.names), self.names, is_question=is_question)

    def _named(self, words: tuple[str, ...]) -> set[int]:
        """Return the places of names."""
        return {at for span in self.names.spans(words) for at in range(span.begin, span.end)}

    def _times(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], moments.Phrase | None]:
        """Split the first time off, wherever it is; what is part of a name is none."""
        return moments.split(words, self._named(words))


def _points(words: Sequence[str]) -> bool:
    return any(plain(word) in vocabulary.IT for word in words)


def _is_read(one: Reading) -> bool:
    """Return whether nothing is left over of what was read, and it doesn't depend on anything."""
    return one.kind != "nothing" and not (one.how or one.topic or one.which.unknown or one.which.left_out)


def _with(parts: Sequence[Reading], part: Reading, about: Which) -> list[Reading]:
    """Return requests with one more; one that says when, or until when, of the last belongs to that."""
    last = parts[-1] if parts else None
    if about.workspaces and (part.which.points == "it" or part.which.is_nothing):
        part = replace(part, which=replace(about, unknown=(), left_out=part.which.left_out))
    if last is None or part.which.named != last.which.named or None not in (last.when, part.when):
        return [*parts, part]
    when = last.when or part.when
    if part.what == "stop" and part.when and last.what in {"start", "restart", "resume"}:
        return [*parts[:-1], replace(last, when=moments.Phrase("until", part.when.text))]
    return [*parts[:-1], replace(last, when=when)] if part.what == last.what else [*parts, part]


def _is_whole(part: Reading) -> bool:
    """Return whether one of several requests can be offered as it is: nothing is left to look for or ask."""
    which = part.which
    is_named = bool(which.workspaces) and not (which.unknown or which.is_near or which.is_all)
    return part.verb in TIMED | {"open", "status"} and is_named and not (part.how or part.hours)


#: What verbs of workspaces mean about jobs.
_OF_JOBS: Final = {"stop": "stop", "cancel": "stop", "status": "status"} | dict.fromkeys(
    ("new", "start", "restart"), "run"
)
_LISTED: Final = vocabulary.OF_LISTS | vocabulary.STATES.keys() | vocabulary.RUN_STATES.keys()
#: They ask, too, unless a request follows.
_MAY: Final = frozenset({"can", "could", "do", "does", "will", "would", "should", "may"})
#: After these, the link comes by itself.
_BRINGS_LINK: Final = frozenset({"start", "restart", "resume", "open"})
_ASKING: Final = (*vocabulary.HOW_TO, *vocabulary.WHETHER, *vocabulary.QUESTIONS)
#: What is talked about in a clause that says nothing, and the most places to cut.
_COURTEOUS: Final = frozenset({"hello", "thanks", "nothing", "yes"})
_MOST_CUTS: Final = 9
_OF_HELP: Final = vocabulary.BEFORE_A_NAME | {"me", "please", "with", "about"}
