"""Finding which of a person's workspaces and runs a name refers to. Similar names are only suggested."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, Literal, TypeVar

from bot.domain.runs import Run
from bot.domain.similarity import is_slip
from bot.domain.workspaces import State, Workspace, get_name_in_id
from bot.providers.base import Provider
from bot.providers.connection import is_address_within, path_below
from bot.support.cleaning import clean, fold
from bot.support.errors import Refused

_Row = TypeVar("_Row", bound=Workspace | Run)
#: Empty map of usernames, for calls that don't need any.
NO_USERNAMES: Final[Mapping[str, str]] = {}
#: Matches the URL of Usher's own page for a workspace (``bot.services.message_context.IDE_PATH``).
_OWN_PAGE_PATTERN: Final = re.compile(r"/ide/([A-Za-z0-9_-]+)/?(?:[?#].*)?$")
#: Minimum similarity (0–100) of a name that is suggested in place of the one that was typed.
_MIN_SIMILARITY: Final = 60.0
_MAX_SUGGESTIONS: Final = 5
#: Maximum number of words in a name. ``_MAX_NAMED_WORDS`` is the maximum for a list of names.
_MAX_NAME_WORDS: Final = 6
_MAX_NAMED_WORDS: Final = 40
#: Words and characters that join the names in a list.
_JOINS: Final = frozenset({"and", "&", "+", ",", "und"})
_MAX_ALIAS_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class NameMatch(Generic[_Row]):
    """The rows that a name may refer to.

    Their names equal it, begin with it, differ from it by a typing mistake, or are merely similar to it.
    """

    kind: Literal["whole", "begun", "slip", "near"]
    rows: tuple[_Row, ...] = ()

    @property
    def is_named(self) -> bool:
        """Return whether the rows have the name or begin with it."""
        return self.kind in {"whole", "begun"}

    @property
    def only(self) -> _Row | None:
        """Return the only row that has the name or begins with it, or None."""
        return self.rows[0] if self.is_named and len(self.rows) == 1 else None


def find(
    name: str,
    rows: Sequence[_Row],
    connections: Mapping[str, Provider],
    usernames: Mapping[str, str] = NO_USERNAMES,
) -> NameMatch[_Row]:
    """Find what a name refers to: an alias, a whole name or id, a prefix, a mistyped name, or a similar one.

    The first kind of match that finds any row decides.

    ``NAME@CONNECTION`` restricts the search to one connection, unless a row has exactly that name.
    ``usernames`` are the person's usernames on the connections, because the URLs of pages may contain them.
    """
    if whole := find_whole(name, rows, connections, usernames):
        return NameMatch("whole", whole)
    stem, connection = split_connection(name, connections)
    here = [one for one in rows if connection in {None, one.connection}]
    needle = fold(stem)
    if not needle:
        return NameMatch("near")
    if begun := [one for one in here if _has_matching_name(one, lambda text: text.startswith(needle))]:
        return NameMatch("begun", _leave_out_gone(begun))
    if mistyped := [one for one in here if _has_matching_name(one, partial(is_slip, needle))]:
        return NameMatch("slip", _leave_out_gone(mistyped))
    return NameMatch("near", suggest(stem, here) or suggest(stem, rows))


def find_whole(
    name: str,
    rows: Sequence[_Row],
    connections: Mapping[str, Provider],
    usernames: Mapping[str, str] = NO_USERNAMES,
) -> tuple[_Row, ...]:
    """Return the rows whose name, id or link matches exactly. Takes the same arguments as ``find``."""
    found = _find_exact(name, rows)
    if not found and (link := to_link(name)):
        workspaces = [one for one in rows if isinstance(one, Workspace)]
        linked = {one.id for one in _find_by_link(name, link, workspaces, connections, usernames)}
        found = [one for one in rows if one.id in linked]
    if not found:
        stem, connection = split_connection(name, connections)
        inside = [one for one in rows if one.connection == connection]
        found = _find_exact(stem, inside) if inside else []
    return _leave_out_gone(found)


def split_names(
    words: Sequence[str],
    workspaces: Sequence[Workspace],
    connections: Mapping[str, Provider],
    usernames: Mapping[str, str] = NO_USERNAMES,
) -> dict[str, tuple[Workspace, ...]]:
    """If the words consist only of whole names, map each name to its workspaces. Otherwise, return {}.

    The names may be joined by commas and *and*.
    """
    by_name: dict[str, None] = dict.fromkeys(
        text
        for one in workspaces
        for text in (fold(one.title), fold(one.name), fold(get_name_in_id(one.remote_id)), one.remote_id)
    )
    found, at = dict[str, tuple[Workspace, ...]](), 0
    while at < min(len(words), _MAX_NAMED_WORDS):
        for end in range(min(at + _MAX_NAME_WORDS, len(words)), at, -1):
            name = " ".join(words[at:end])
            name = name if fold(name) in by_name else name.rstrip(",")
            is_likely = fold(name) in by_name or name in by_name or "@" in name or to_link(name)
            if is_likely and (whole := find_whole(name, workspaces, connections, usernames)):
                found[name], at = whole, end
                break
        else:
            if not found or at + 1 == len(words) or words[at].casefold() not in _JOINS:
                return {}
            at += 1
    return found if at == len(words) else {}


def _find_by_link(
    name: str,
    link: str,
    workspaces: Sequence[Workspace],
    connections: Mapping[str, Provider],
    usernames: Mapping[str, str],
) -> list[Workspace]:
    """Return the workspaces named in a link, or those whose IDE or provider's page has this URL."""
    ids = find_references(name, connections)
    if named := [one for one in workspaces if ids.get(one.connection) == one.remote_id]:
        return named
    own_page = _OWN_PAGE_PATTERN.search(link)
    if own := [one for one in workspaces if own_page is not None and one.id == own_page[1]]:
        return own
    owned = [one for one in workspaces if one.connection in connections]
    opened = [one for one in owned if one.url and is_address_within(link, one.url)]
    if opened:
        # One workspace's URL may be a prefix of another's, so only the longest match is right.
        longest = max(len(one.url or "") for one in opened)
        return [one for one in opened if len(one.url or "") == longest]
    begun = [
        one
        for one in owned
        if one.url
        and is_address_within(one.url, link)
        and path_below(link, connections[one.connection].settings.base_url) != "/"
    ]
    return begun or [
        one
        for one in owned
        if connections[one.connection].is_page_of(link, one.name, usernames.get(one.connection, ""))
    ]


def narrow(name: str, rows: Sequence[_Row]) -> list[_Row]:
    """Return the rows whose names contain this text or, if none do, those whose names it may misspell."""
    mistyped = partial(is_slip, fold(name))
    return _list_within(name, rows) or [one for one in rows if _has_matching_name(one, mistyped)]


def suggest(name: str, rows: Sequence[_Row], limit: int = _MAX_SUGGESTIONS) -> tuple[_Row, ...]:
    """Return a few rows whose names contain this text or, if there are none, rows with similar names."""
    if within := _list_within(name, rows):
        return tuple(within[:limit])
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only needed for typing mistakes

    titles = [fold(one.title) for one in rows]
    alike = process.extract(
        fold(name), titles, scorer=fuzz.WRatio, score_cutoff=_MIN_SIMILARITY, limit=_MAX_SUGGESTIONS
    )
    return tuple(rows[number] for _, _, number in alike)


def choose_newest(runs: Iterable[Run], *, is_stop: bool = False) -> list[Run]:
    """Return the newest run of each name. ``runs`` are sorted, newest first.

    If ``is_stop`` is true, return all runs of a name that are still running, if there are any.
    """
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(fold(run.name), []).append(run)
    going = {name: [run for run in same if is_stop and run.is_going] for name, same in by_name.items()}
    return [run for name, same in by_name.items() for run in going[name] or same[:1]]


def find_connection(name: str, connections: Mapping[str, Provider], *, is_whole: bool = False) -> str | None:
    """Return the connection with this name or title, or None.

    Unless ``is_whole`` is true, a prefix is enough if only one connection's name or title begins with it.
    """
    titles = {key: provider.settings.title for key, provider in connections.items()}
    return find_title(name, titles, is_whole=is_whole)


def find_title(name: str, titles: Mapping[str, str], *, is_whole: bool = False) -> str | None:
    """Return the key of the connection with this name or title. Works like ``find_connection``."""
    found = find_titles(name, titles)
    if found or is_whole:
        return found[0] if len(found) == 1 else None
    needle = fold(name)
    begun = [
        key for key, title in titles.items() if any(fold(one).startswith(needle) for one in (key, title))
    ]
    return begun[0] if len(begun) == 1 else None


def find_titles(name: str, titles: Mapping[str, str]) -> list[str]:
    """Return the keys of the connections with this name. If there are none, return those with this title."""
    needle = fold(name)
    named = [key for key in titles if fold(key) == needle]
    return named or [key for key, title in titles.items() if fold(title) == needle]


def split_leading_connection(
    words: Sequence[str], connections: Mapping[str, Provider]
) -> tuple[str | None, tuple[str, ...]]:
    """Return the connection whose name or title the words begin with, and the remaining words.

    A title may consist of several words. If no connection matches, return None and all the words.
    """
    longest = max((len(one.settings.title.split()) for one in connections.values()), default=0)
    for count in range(min(len(words), max(longest, 1)), 0, -1):
        found = find_connection(" ".join(words[:count]), connections, is_whole=True)
        if found is not None:
            return found, tuple(words[count:])
    return None, tuple(words)


def find_references(text: str, connections: Mapping[str, Provider]) -> dict[str, str]:
    """Map each connection that recognises a pasted link or id to the remote id that it means there.

    ``ID@CONNECTION`` limits this to one connection.
    """
    stem, chosen = split_connection(text, connections)
    asked = connections if chosen is None else {chosen: connections[chosen]}
    for given in filter(None, (to_link(stem), stem)):
        read = {name: provider.parse_reference(given) for name, provider in asked.items()}
        if found := {name: remote_id for name, remote_id in read.items() if remote_id}:
            return found
    return {}


def to_link(text: str) -> str:
    """Return a string as a URL, adding the scheme if it is missing. Return "" if it isn't a URL."""
    host, slash, _ = text.partition("/")
    if "://" in text:
        return text
    return f"https://{text}" if slash and "." in host else ""


def split_connection(name: str, connections: Mapping[str, Provider]) -> tuple[str, str | None]:
    """Split ``NAME@CONNECTION``. If no known connection follows the last @, return the whole name and None.

    The connection may be given by its name or its title.
    """
    stem, at, tail = name.rpartition("@")
    if not at or not stem.strip():
        return name, None
    connection = find_connection(tail, connections, is_whole=True)
    return (stem.strip(), connection) if connection is not None else (name, None)


def make_labels(
    found: Sequence[Workspace],
    among: Sequence[Workspace],
    title: Callable[[str], str],
) -> list[str]:
    """Return labels that distinguish workspaces.

    A label includes the connection's title if another workspace has the same title. If two workspaces on the
    same connection have the same title, their ids are used instead.
    """
    asked = {fold(one.title) for one in found}
    names = [(name, one.connection) for one in among if (name := fold(one.title)) in asked]
    called, there = Counter(name for name, _ in names), Counter(names)
    labels = []
    for one in found:
        name = fold(one.title)
        label = one.remote_id if there[name, one.connection] > 1 else one.title
        labels.append(f"{label}@{title(one.connection)}" if called[name] > 1 else label)
    return labels


def normalise_alias(text: str) -> str:
    """Return an alias as a single line of 1–60 characters. Raise Refused if it is empty or longer."""
    kept = " ".join(clean(text).split())
    if not 1 <= len(kept) <= _MAX_ALIAS_LENGTH:
        raise Refused("alias.length")
    return kept


def _find_exact(name: str, rows: Sequence[_Row]) -> list[_Row]:
    """Return the rows with this name. An alias or a run's id takes precedence over other names.

    A name that an alias has replaced counts only if nothing else has it.
    """
    needle, best, found = fold(name), 1, list[_Row]()
    for row in rows:
        rank = 0
        if isinstance(row, Run):
            rank = 3 if name in {row.id, row.remote_id} else 2 * (fold(row.name) == needle)
        elif row.alias and fold(row.alias) == needle:
            rank = 3
        elif (fold(row.name) == needle and not row.alias) or row.remote_id == name:
            rank = 2
        elif fold(row.name) == needle or (needle and fold(get_name_in_id(row.remote_id)) == needle):
            # This is the workspace's name on the server. It is part of the id, even if people see a different
            # name.
            rank = 1
        if rank > best:
            best, found = rank, []
        if rank == best:
            found.append(row)
    return found


def _leave_out_gone(found: Sequence[_Row]) -> tuple[_Row, ...]:
    """Return the rows without workspaces that are gone. If all of them are gone, return them all."""
    return tuple([one for one in found if str(one.state) != State.GONE] or found)


def _list_within(name: str, rows: Sequence[_Row]) -> list[_Row]:
    needle = fold(name)
    return [one for one in rows if _has_matching_name(one, lambda text: needle in text)]


def _has_matching_name(row: Workspace | Run, fits: Callable[[str], bool]) -> bool:
    return fits(fold(row.title)) or fits(fold(row.name))
