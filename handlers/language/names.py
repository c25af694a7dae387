"""Tell which workspaces the words after a verb name: one, several, all, or none for sure; pure.

A whole name always comes first, however it reads. Only if there is none, what people put around a name is
taken off, and the words are read as several names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bot.domain.models import State
from bot.services import naming
from handlers.command_line import Quoted
from handlers.language import vocabulary
from handlers.language.words import MARKS, begins, ends, is_emoji, is_struck, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.domain.models import Workspace
    from bot.providers.base import Provider

#: More words than this aren't read as several names.
_MOST_WORDS: Final = 60
#: Names have no more words than this when several are given.
_WORDS_OF_A_NAME: Final = 6
#: A connection is named with no more words than this.
_WORDS_OF_A_PLACE: Final = 12
#: Words after the verb that mean another one: ``stop report; start notebook``, also on two lines.
_OTHER_VERBS: Final = frozenset({"start", "stop", "restart", "suspend", "resume", "remove", "run", "kill"})


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold what words name.

    ``several`` and ``all`` may come with ``unknown`` words that no name explains; ``conditional`` words leave
    something out or set a condition; ``theirs`` is said of somebody else's. ``is_exact``: exactly one whole
    name was typed, and nothing around it; ``is_whole``: a whole name, with something around it.
    ``is_described``: a word before a name says that another one may be meant, as in ``old report``.
    """

    kind: Literal["none", "one", "many", "several", "all", "conditional", "theirs", "near"]
    workspaces: tuple[Workspace, ...] = ()
    is_exact: bool = False
    is_whole: bool = False
    is_described: bool = False
    unknown: tuple[str, ...] = ()
    #: The name that was looked for, for sentences.
    name: str = ""


def choose(words: Sequence[str], rows: Sequence[Workspace], connections: Mapping[str, Provider]) -> Choice:
    """Return what the words name among a person's workspaces."""
    if not words:
        return Choice("none")
    name = " ".join(words)
    names = naming.WholeNames(rows, connections)
    whole = names.find(name)
    if whole is not None:
        return Choice(whole.kind, whole.workspaces, is_exact=True, is_whole=True, name=name)
    core: tuple[str, ...] = tuple(words)
    for core in _cores(words, connections):
        if not core:
            return Choice("none")
        whole = names.find(" ".join(core))
        if whole is not None:
            # Only marks and punctuation were around it, and nothing was taken back.
            is_exact = core == _unmarked(tuple(words)) and not any(map(is_struck, words))
            return Choice(whole.kind, whole.workspaces, is_exact=is_exact, is_whole=True, name=" ".join(core))
    in_a_state = _in_a_state(words, rows)
    if in_a_state is not None:
        return in_a_state
    several = _several(_bare(words), names)
    others = _others(words, names)
    if several is not None:
        return Choice("theirs", several.workspaces) if others else several
    as_typed = naming.find(name, rows, connections)
    if as_typed.kind != "near":
        return Choice(as_typed.kind, as_typed.workspaces, name=name)
    found = naming.find(" ".join(core), rows, connections)
    if others:
        # One's own may be called after somebody: only such a name is like this one.
        named = tuple(
            one for one in found.workspaces if all(other in naming.fold(one.title) for other in others)
        )
        return Choice("near", named, name=name) if named else Choice("theirs")
    return Choice(found.kind, found.workspaces, name=" ".join(_bare(words)) or name)


def _in_a_state(words: Sequence[str], rows: Sequence[Workspace]) -> Choice | None:
    """Read ``all that are running`` and ``the stopped ones``; None for anything else."""
    folded = {plain(word) for word in _bare(words) if not is_emoji(word)}
    states = folded & (vocabulary.RUNNING | vocabulary.STOPPED)
    if len(states) != 1 or not folded & vocabulary.OF_A_STATE or folded - states - vocabulary.WITH_A_STATE:
        return None
    is_up = bool(states & vocabulary.RUNNING)
    return Choice("all", tuple(one for one in rows if (one.state is State.RUNNING) == is_up))


def mentioned(
    words: Sequence[str], rows: Sequence[Workspace], connections: Mapping[str, Provider]
) -> Workspace | None:
    """Return the only workspace of the person whose whole name is among the words, wherever it is."""
    names = naming.WholeNames(rows, connections)
    if _others(words, names):
        return None
    found = _several(tuple(words), names)
    return found.workspaces[0] if found is not None and len(found.workspaces) == 1 else None


def _others(words: Sequence[str], names: naming.WholeNames) -> tuple[str, ...]:
    """Return who else something is said to belong to: a mention, ``bob's``, ``their``."""
    found = []
    for word in words:
        folded = plain(word)
        owner = next((folded.removesuffix(end) for end in ("'s", "s'") if folded.endswith(end)), "")
        is_name = names.find(owner or word) is not None
        is_place = naming.find_connection(folded.strip("@"), names.connections, is_whole=True) is not None
        if (
            not folded
            or is_name
            or is_place
            or folded in vocabulary.ASKING
            or folded in vocabulary.OF_ONESELF
        ):
            continue
        if owner or word.startswith(("<@", "@")) or folded in vocabulary.OF_OTHERS:
            found.append((owner or folded).lstrip("@"))
    return tuple(found)


def _unmarked(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words without Slack's marks around each, and without what ends a sentence."""
    bare = [word.strip(MARKS) or word for word in words]
    return (*bare[:-1], plain_end(bare[-1]).strip(MARKS) or bare[-1])


def _cores(words: Sequence[str], connections: Mapping[str, Provider]) -> Iterator[tuple[str, ...]]:
    """Yield what may be the name, with less and less around it."""
    bare = tuple(words)
    quoted = tuple(word for word in bare if isinstance(word, Quoted))
    if quoted:
        if len(quoted) == 1 and all(word in quoted or _only_joins(word) for word in _bare(bare)):
            yield quoted
        return
    if bare:
        yield _unmarked(bare)
    while bare and is_emoji(bare[-1]):
        bare = bare[:-1]
    yield (bare := _bare(bare))
    placed = _placed(bare, connections)
    if placed:
        yield (bare := placed)
    while bare and plain(bare[0]) in vocabulary.GENERIC:
        bare = bare[1:]
    while bare and plain(bare[-1]) in vocabulary.GENERIC:
        bare = bare[:-1]
    yield () if all(plain(word) in vocabulary.POINTING for word in bare) else bare


def plain_end(word: str) -> str:
    """Return a word without what ends a sentence, as it was typed."""
    return word.rstrip(",;:!?….") or word


def _bare(words: Sequence[str]) -> tuple[str, ...]:
    """Return words without courtesy, and without what only introduces a name."""
    bare = tuple(words)
    while bare and not isinstance(bare[-1], Quoted) and (count := ends(bare, vocabulary.AFTERTHOUGHTS)):
        bare = bare[:-count]
    while bare and is_emoji(bare[-1]):
        bare = bare[:-1]
    while bare and not isinstance(bare[0], Quoted):
        is_before = plain(bare[0]) in vocabulary.BEFORE_A_NAME and not begins(bare, vocabulary.ALL)
        if not is_before and plain(bare[0]) not in vocabulary.IN_BETWEEN:
            break
        bare = bare[1:]
    if bare and not isinstance(bare[-1], Quoted):
        bare = (*bare[:-1], plain_end(bare[-1]))
    return bare


def _placed(words: tuple[str, ...], connections: Mapping[str, Provider]) -> tuple[str, ...]:
    """Return ``notebook on Saturn Cloud`` as ``notebook@saturn``; () if no connection is named."""
    for at in range(len(words) - 2, max(len(words) - 2 - _WORDS_OF_A_PLACE, 0), -1):
        if plain(words[at]) not in vocabulary.WHERE:
            continue
        tail = [word for word in words[at + 1 :] if plain(word) not in {"the", "my"}]
        connection = naming.find_connection(" ".join(tail), connections, is_whole=True)
        if connection is not None:
            return (f"{' '.join(words[:at])}@{connection}",)
    return ()


def _several(words: tuple[str, ...], names: naming.WholeNames) -> Choice | None:
    """Read words as several names, or as all; None if not even one of them is a whole name."""
    if len(words) > _MOST_WORDS:
        return None
    count = begins(words, vocabulary.ALL)
    rest = words[count:] if count else ()
    if count and not rest:
        return Choice("all", tuple(names.workspaces))
    left_out = begins(rest, vocabulary.EXCEPT) if rest else 0
    if count and not left_out:
        return Choice("conditional") if _is_conditional(rest) else None
    found, unknown, is_described = _names(rest[left_out:] if count else words, names)
    if count:
        if unknown or not found:
            return Choice("conditional")
        ids = {one.id for one in found}
        return Choice("all", tuple(one for one in names.workspaces if one.id not in ids))
    if not found:
        return None
    if _is_conditional(unknown) or any(plain(word) in _OTHER_VERBS for word in unknown):
        return Choice("conditional", found)
    name = " ".join(words) if is_described else ""
    return Choice("several", found, unknown=unknown, is_described=is_described, name=name)


def _is_conditional(words: Sequence[str]) -> bool:
    folded = {plain(word) for word in words}
    return bool(folded & (vocabulary.CONDITIONS | vocabulary.NEGATIONS)) or any(
        begins(words[at:], vocabulary.EXCEPT) for at in range(len(words))
    )


def _names(
    words: Sequence[str], names: naming.WholeNames
) -> tuple[tuple[Workspace, ...], tuple[str, ...], bool]:
    """Return the workspaces that are named, each once, the words that no name explains, ``is_described``.

    A word without a comma right before a name, or after *of*, says which one is meant.
    """
    pieces = [piece for word in words for piece in _pieces(word)]
    if len(pieces) > _MOST_WORDS:
        return (), tuple(words), False
    found: dict[str, Workspace] = {}
    unknown: list[str] = []
    at, is_described, before = 0, False, ""
    while at < len(pieces):
        named = _first_name(pieces[at : at + _WORDS_OF_A_NAME], names)
        if named is not None:
            one, count = named
            found.setdefault(one.id, one)
            is_described = is_described or bool(before)
            before = ""
        else:
            count, before = 1, ""
            if found and plain(pieces[at]) in vocabulary.REMARKS:
                unknown += [one for one in pieces[at:] if plain(one) in vocabulary.CONDITIONS]
                break
            if not _only_joins(pieces[at]):
                unknown.append(plain_end(pieces[at]))
                before = "" if pieces[at].endswith((",", ";")) else pieces[at]
                is_described = is_described or (at > 0 and plain(pieces[at - 1]) == "of")
        at += count
    return tuple(found.values()), tuple(unknown), is_described


def _first_name(pieces: Sequence[str], names: naming.WholeNames) -> tuple[Workspace, int] | None:
    """Return the workspace whose whole name words begin with, and how many words that is."""
    longest = 1 if isinstance(pieces[0], Quoted) else _WORDS_OF_A_NAME
    for count in range(min(longest, len(pieces)), 0, -1):
        given = tuple(pieces[:count])
        typed = " ".join((*given[:-1], plain_end(given[-1])))
        bare = typed if isinstance(given[0], Quoted) else " ".join(_unmarked(given))
        for name in dict.fromkeys((typed, bare, bare.removesuffix("'s"))):
            one = names.find(name)
            if one is not None and one.kind == "one":
                return one.workspaces[0], count
    return None


def _pieces(word: str) -> list[str]:
    """Split a word at its commas, which stay: ``a,b``."""
    if isinstance(word, Quoted) or "," not in word.rstrip(","):
        return [word]
    return [f"{piece}," for piece in word.split(",") if piece]


def _only_joins(word: str) -> bool:
    folded = plain(word)
    return is_emoji(word) or (
        not isinstance(word, Quoted)
        and folded in vocabulary.JOINING | vocabulary.BEFORE_A_NAME | vocabulary.GENERIC
    )
