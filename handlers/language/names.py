"""Tell which workspaces the words after a verb name: one, several, all, or none for sure; pure.

A whole name always comes first, however it reads. Only if there is none, what people put around a name is
taken off, and the words are read as several names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bot.services import naming
from handlers.command_line import Quoted
from handlers.language import vocabulary as known
from handlers.language.words import begins, ends, is_emoji, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.domain.models import Workspace
    from bot.providers.base import Provider

#: Names have no more words than this when several are given.
_WORDS_OF_A_NAME: Final = 6
#: More words than this aren't read as several names.
_MOST_WORDS: Final = 40
#: Words after the verb that mean another one: ``stop report; start notebook``, also on two lines.
_OTHER_VERBS: Final = frozenset({"start", "stop", "restart", "suspend", "resume", "remove", "run", "kill"})


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold what words name.

    ``several`` and ``all`` may come with ``unknown`` words that no name explains; ``conditional`` words leave
    something out or set a condition. ``is_exact``: exactly one whole name was typed, and nothing around it;
    ``is_whole``: a whole name, with something around it.
    """

    kind: Literal["none", "one", "many", "several", "all", "conditional", "near"]
    workspaces: tuple[Workspace, ...] = ()
    is_exact: bool = False
    is_whole: bool = False
    unknown: tuple[str, ...] = ()
    #: The name that was looked for, for sentences.
    name: str = ""


def choose(words: Sequence[str], rows: Sequence[Workspace], connections: Mapping[str, Provider]) -> Choice:
    """Return what the words name among a person's workspaces."""
    if not words:
        return Choice("none")
    name = " ".join(words)
    whole = naming.find_whole(name, rows, connections)
    if whole is not None:
        return Choice(whole.kind, whole.workspaces, is_exact=True, is_whole=True, name=name)
    core: tuple[str, ...] = tuple(words)
    for core in _cores(words, connections):
        if not core:
            return Choice("none")
        whole = naming.find_whole(" ".join(core), rows, connections)
        if whole is not None:
            # Only marks and punctuation were around it.
            is_exact = core == _unmarked(tuple(words))
            return Choice(whole.kind, whole.workspaces, is_exact=is_exact, is_whole=True, name=" ".join(core))
    several = _several(_bare(words), rows, connections)
    if several is not None:
        return several
    as_typed = naming.find(name, rows, connections)
    if as_typed.kind != "near":
        return Choice(as_typed.kind, as_typed.workspaces, name=name)
    found = naming.find(" ".join(core), rows, connections)
    return Choice(found.kind, found.workspaces, name=" ".join(_bare(words)) or name)


def mentioned(
    words: Sequence[str], rows: Sequence[Workspace], connections: Mapping[str, Provider]
) -> Workspace | None:
    """Return the only workspace whose whole name is among the words, wherever it is."""
    found = _several(tuple(words), rows, connections)
    return found.workspaces[0] if found is not None and len(found.workspaces) == 1 else None


def _unmarked(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words without marks for code or bold around each, and without what ends a sentence."""
    bare = [word.strip("`*") or word for word in words]
    return (*bare[:-1], plain_end(bare[-1]).strip("`*") or bare[-1])


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
    while bare and plain(bare[0]) in known.GENERIC:
        bare = bare[1:]
    while bare and plain(bare[-1]) in known.GENERIC:
        bare = bare[:-1]
    yield bare


def plain_end(word: str) -> str:
    """Return a word without what ends a sentence, as it was typed."""
    return word.rstrip(",;:!?….") or word


def _bare(words: Sequence[str]) -> tuple[str, ...]:
    """Return words without courtesy, and without what only introduces a name."""
    bare = tuple(words)
    while bare and not isinstance(bare[-1], Quoted) and (count := ends(bare, known.AFTERTHOUGHTS)):
        bare = bare[:-count]
    while bare and is_emoji(bare[-1]):
        bare = bare[:-1]
    while bare and not isinstance(bare[0], Quoted):
        if plain(bare[0]) in known.BEFORE_A_NAME and not begins(bare, known.ALL):
            bare = bare[1:]
        elif count := begins(bare, (("please",), ("pls",), ("now",), ("just",))):
            bare = bare[count:]
        else:
            break
    if bare and not isinstance(bare[-1], Quoted):
        bare = (*bare[:-1], plain_end(bare[-1]))
    return bare


def _placed(words: tuple[str, ...], connections: Mapping[str, Provider]) -> tuple[str, ...]:
    """Return ``notebook on Saturn Cloud`` as ``notebook@saturn``; () if no connection is named."""
    for at in range(len(words) - 2, 0, -1):
        if plain(words[at]) not in known.WHERE:
            continue
        tail = [word for word in words[at + 1 :] if plain(word) not in {"the", "my"}]
        connection = naming.find_connection(" ".join(tail), connections, is_whole=True)
        if connection is not None:
            return (f"{' '.join(words[:at])}@{connection}",)
    return ()


def _several(
    words: tuple[str, ...], rows: Sequence[Workspace], connections: Mapping[str, Provider]
) -> Choice | None:
    """Read words as several names, or as all; None if not even one of them is a whole name."""
    if len(words) > _MOST_WORDS:
        return None
    count = begins(words, known.ALL)
    rest = words[count:] if count else ()
    if count and not rest:
        return Choice("all", tuple(rows))
    left_out = begins(rest, known.EXCEPT) if rest else 0
    if count and not left_out:
        return Choice("conditional") if _is_conditional(rest) else None
    found, unknown = _names(rest[left_out:] if count else words, rows, connections)
    if count:
        if unknown or not found:
            return Choice("conditional")
        ids = {one.id for one in found}
        return Choice("all", tuple(one for one in rows if one.id not in ids))
    if not found:
        return None
    if _is_conditional(unknown) or any(plain(word) in _OTHER_VERBS for word in unknown):
        return Choice("conditional", found)
    return Choice("several", found, unknown=unknown)


def _is_conditional(words: Sequence[str]) -> bool:
    folded = {plain(word) for word in words}
    return bool(folded & (known.CONDITIONS | known.NEGATIONS)) or any(
        begins(words[at:], known.EXCEPT) for at in range(len(words))
    )


def _names(
    words: Sequence[str], rows: Sequence[Workspace], connections: Mapping[str, Provider]
) -> tuple[tuple[Workspace, ...], tuple[str, ...]]:
    """Return the workspaces that are named, each once, and the words that no name explains."""
    pieces = [piece for word in words for piece in _pieces(word)]
    found: dict[str, Workspace] = {}
    unknown: list[str] = []
    at = 0
    while at < len(pieces):
        longest = 1 if isinstance(pieces[at], Quoted) else _WORDS_OF_A_NAME
        for end in range(min(at + longest, len(pieces)), at, -1):
            name = " ".join((*pieces[at : end - 1], plain_end(pieces[end - 1])))
            one = naming.find_whole(name, rows, connections)
            if one is not None and one.kind == "one":
                found.setdefault(one.workspaces[0].id, one.workspaces[0])
                at = end
                break
        else:
            if not _only_joins(pieces[at]):
                unknown.append(pieces[at])
            at += 1
    return tuple(found.values()), tuple(unknown)


def _pieces(word: str) -> list[str]:
    """Split a word at its commas: ``a,b``."""
    if isinstance(word, Quoted) or "," not in word.rstrip(","):
        return [word]
    return [piece for piece in word.split(",") if piece]


def _only_joins(word: str) -> bool:
    folded = plain(word)
    return is_emoji(word) or (
        not isinstance(word, Quoted) and folded in known.JOINING | known.BEFORE_A_NAME | known.GENERIC
    )
