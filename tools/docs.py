"""Check every Markdown file: line lengths, links, and tables that are generated from the code.

    python tools/docs.py            prints the mistakes, and exits with 1 if there are any
    python tools/docs.py --write    writes the tables that are generated from the code

A comment of the form ``<!-- table: … -->`` before a table says what generates the table, or compares it with
the code.
"""

import ast
import inspect
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from multidict import CIMultiDict, CIMultiDictProxy
from pydantic.fields import FieldInfo

from bot.commands.pages import to_anchor
from bot.providers.answers import to_error
from bot.providers.facets import Facet
from bot.slack import manifest
from bot.support import errors
from bot.support.responses import Response
from bot.support.settings import VARIABLES
from bot.web.health import Metrics
from playground import harness
from playground.demo.guest_story import play_guest
from playground.demo.guests import Guest
from playground.faults import Refusal
from usher import provider
from usher.conformance import rigs

LONGEST_LINE = 120
#: Folders of generated files, besides hidden ones.
MADE = frozenset({"build", "dist", "env", "mutants"})
_FENCE = re.compile(r" *```")
_CODE = re.compile(r"(`+).+?\1")
_HEADING = re.compile(r"#+ (.+)")
#: Matches the target of a link, a picture or a link definition.
_TARGET = re.compile(r"\]\(([^)\s]*)\)|\b(?:src|href)=\"([^\"]*)\"|^\[[^\]]+\]: (\S+)")
#: Matches the name of a link that is defined elsewhere in the file. The other pattern matches the definition.
_NAME = re.compile(r"\]\[([^\]]+)\]")
_DEFINITION = re.compile(r"^\[([^\]]+)\]: ", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z]+:")
#: Matches a table that isn't prose, with the comment that says so.
_TABLE = re.compile(r"^( *<!-- table: .+ -->\n)\n?((?:^ *\|.*\n)*)", re.MULTILINE)
#: Matches a documentation page as sentences in the code refer to it.
_PAGE = re.compile(r"`usher docs ([\w-]+)(#[\w-]+)?`")
_WRITTEN = "<!-- table: written by tools/docs.py --write -->\n"


def documents(root: Path) -> list[Path]:
    """Return the Markdown files below a folder, except those in hidden and generated folders."""
    found = sorted(root.rglob("*.md"))
    return [path for path in found if not _is_made(path.relative_to(root).parts[:-1])]


def _is_made(folders: tuple[str, ...]) -> bool:
    return any(name in MADE or (name.startswith(".") and name != ".github") for name in folders)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line outside code blocks, with its number."""
    is_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            yield number, line


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives a file's headings. A repeated heading's anchor ends in ``-1``."""
    found = list[str]()
    before = Counter[str]()
    for _, line in prose(path.read_text(encoding="utf-8")):
        if heading := _HEADING.fullmatch(line):
            words = to_anchor(heading[1])
            found.append(f"{words}-{before[words]}" if before[words] else words)
            before[words] += 1
    return frozenset(found)


def is_broken_link(path: Path, target: str) -> bool:
    """Return whether a link in a file points to a file or heading that doesn't exist."""
    if _ELSEWHERE.match(target):
        return False
    name, _, anchor = target.partition("#")
    file = path.parent / name if name else path
    return not file.exists() or (bool(anchor) and (file.is_dir() or anchor not in anchors(file)))


def find_mistakes(path: Path) -> Iterator[tuple[int, str]]:
    """Yield a file's mistakes, each with its line number."""
    text = path.read_text(encoding="utf-8")
    made = {line for table in _TABLE.finditer(text) if table[1] == _WRITTEN for line in table[2].splitlines()}
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LONGEST_LINE and line not in made:
            yield number, f"{len(line)} characters, of at most {LONGEST_LINE}"
    defined = set(_DEFINITION.findall(text))
    for number, line in prose(text):
        plain = _CODE.sub("", line)
        for found in _TARGET.finditer(plain):
            target = next(part for part in found.groups() if part is not None)
            if is_broken_link(path, target):
                yield number, f"a link that leads nowhere: {target}"
        for name in _NAME.findall(plain):
            if name not in defined:
                yield number, f"a link that isn't defined: {name}"


# -- tables that are generated from the code -----------------------------------------------------------------


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    line = f"|{'---|' * len(head)}\n"
    return f"| {' | '.join(head)} |\n{line}" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _uses(head: str, uses: Mapping[str, str]) -> str:
    return _rows((head, "why"), ((f"`{name}`", why) for name, why in uses.items()))


def _benchmarks(module: str) -> Any:
    root = str(Path(__file__).resolve().parents[1])
    if root not in sys.path:  # They aren't installed.
        sys.path.append(root)
    return import_module(f"benchmarks.{module}")


def _runs() -> str:
    return _rows(
        ("commit", "date", "machine"),
        (
            (
                f"`{run['commit'][:9]}`",
                run["date"],
                f"{run['processor']}, {run['cores']} cores, Python {run['python']}",
            )
            for run in _benchmarks("results").read_newest()
        ),
    )


def list_figures(*, met: bool | None) -> str:
    """Return the newest figures that meet their goals, that miss them, or that have none."""
    goals = _benchmarks("figures").GOALS
    head = (
        "figure",
        *(() if met is None else ("goal",)),
        "measured",
        "spread",
        "baseline",
        "what it is",
        "commit",
    )
    return _rows(
        head,
        (
            (*_figure(one, goals[one["name"]].what), f"`{run['commit'][:9]}`")
            for run in _benchmarks("results").read_newest()
            for one in run["figures"]
            if one["met"] is met and goals[one["name"]].what
        ),
    )


def _figure(one: Mapping[str, Any], what: str) -> tuple[str, ...]:
    spread = f"{one['least']:,.4g} to {one['most']:,.4g}" if one["rounds"] > 1 else ""
    goal = () if one["met"] is None else (one["goal"],)
    baseline = "" if one["baseline"] is None else f"{one['baseline']:,.4g}"
    return f"`{one['name']}`", *goal, f"{one['median']:,.4g} {one['unit']}", spread, baseline, what


def _link(page: re.Match[str]) -> str:
    return f"[more]({page[1]}.md{page[2] or ''})"


def _format_default(field: FieldInfo) -> str:
    """Return a setting's default as its table shows it."""
    if field.examples:
        return str(field.examples[0])
    if field.is_required():
        return "required"
    if field.default in {None, ""}:
        return "none"
    is_number = isinstance(field.default, int | float) and not isinstance(field.default, bool)
    return f"{field.default:g}" if is_number else f"`{field.default}`"


def _settings() -> str:
    return _rows(
        ("variable", "meaning", "default"),
        (
            (f"`{name}`", _PAGE.sub(_link, str(one.description)), _format_default(one))
            for name, one in VARIABLES.items()
        ),
    )


def _metrics() -> str:
    return _rows(
        ("metric", "type", "labels", "meaning"),
        (
            (f"`{name}`", kind, ", ".join(f"`{label}`" for label in labels), text)
            for name, kind, labels, text in Metrics().described
        ),
    )


def _read_first_sentence(one: Any) -> str:
    """Return a docstring's first sentence, as a table cell."""
    first = (inspect.getdoc(one) or "").split("\n\n")[0]
    return " ".join(first.split()).replace("|", "or").replace("``", "`")


def _list_build_bases() -> dict[str, type]:
    """Return the classes that providers derive from, and the bases that these share."""
    named = [getattr(provider, name) for name in provider.__all__]
    sides = [one for one in named if isinstance(one, type) and issubclass(one, (provider.Provider, Facet))]
    shared = {base for one in sides for base in one.__mro__ if issubclass(base, Facet) and base is not Facet}
    found = {provider.Provider, *sides, *shared}
    return {
        one.__name__: one
        for one in sorted(found, key=lambda one: (one is not provider.Provider, one.__name__))
    }


def _methods() -> str:
    """Return the methods that a provider has to implement, for its base class and each facet."""
    return _rows(
        ("method", "what it does"),
        (
            (_format_signature(f"{name}.{method}", member), _read_first_sentence(function))
            for name, one in _list_build_bases().items()
            for method, member in vars(one).items()
            for function in [member.fget if isinstance(member, property) else member]
            if getattr(function, "__isabstractmethod__", False) and not method.startswith("_")
        ),
    )


def _format_signature(name: str, member: Any) -> str:
    """Return a method's name with its parameters, or only the name of a property."""
    if isinstance(member, property):
        return f"`{name}`"
    return f"`{name}({', '.join(list(inspect.signature(member).parameters)[1:])})`"


#: Matches an attribute in a docstring's list, with its continuation lines.
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n        .+)*)", re.MULTILINE)
_FACTORIES: Final = {"dict": "{}", "list": "[]"}


def _read_attributes(one: Any) -> dict[str, str]:
    """Return the attributes that a class's docstring describes."""
    listed = (inspect.getdoc(one) or "").partition("\nAttributes:\n")[2]
    return {name: " ".join(text.split()).replace("``", "`") for name, text in _ATTRIBUTE.findall(listed)}


def _fields(classes: Mapping[str, Any], *, own: str = "") -> str:
    """Return the attributes of classes. Those of the class ``own`` are shown without its name."""
    return _rows(
        ("name", "default", "what it is"),
        (
            (f"`{'' if name == own else f'{name}.'}{field}`", _read_default(one, field), text)
            for name, one in classes.items()
            for field, text in _read_attributes(one).items()
        ),
    )


def _read_default(one: type, field: str) -> str:
    """Return the default of a class's attribute as it is written in the code, or "" if there is none."""
    (tree,) = ast.parse(inspect.cleandoc("\n" + inspect.getsource(one))).body
    assert isinstance(tree, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == field and node.value is not None:
            value = node.value
            if isinstance(value, ast.Call) and ast.unparse(value.func) in {"field", "Field"}:
                given = {word.arg: ast.unparse(word.value) for word in value.keywords}
                made = given.get("default_factory")
                first = ast.unparse(value.args[0]) if value.args else given.get("default", "")
                text = first if made is None else _FACTORIES.get(made, f"{made}()")
            else:
                text = ast.unparse(value)
            return f"`{text}`" if text and not text.startswith("_") else ""
    return ""


def _error_kinds() -> str:
    """Return the errors that a provider may raise, each below its base class."""
    waiting, found = [errors.ProviderError], list[type[errors.ProviderError]]()
    while waiting:
        found.append(waiting.pop())
        waiting += reversed(found[-1].__subclasses__())
    return _rows(
        ("error", "a kind of", "what it means"),
        (
            (f"`{kind.__name__}`", f"`{kind.__bases__[0].__name__}`", _read_first_sentence(kind))
            for kind in found
            if kind.__module__ == errors.__name__
        ),
    )


def _server_parts() -> str:
    """Return the parts from which a package builds its local server."""
    parts: dict[str, Callable[..., Any]] = {
        "run_server": harness.run_server,
        "refusals": harness.refusals,
        "Refusal": Refusal,
        "Harness": harness.Harness,
        "Harness.install": harness.Harness.install,
        "Clock": harness.Clock,
        "Clock.advance": harness.Clock.advance,
        "play_guest": play_guest,
    }
    return _rows(
        ("name", "parameters", "what it is"),
        (
            (
                f"`{one.__module__}.{name}`",
                ", ".join(f"`{part}`" for part in inspect.signature(one).parameters if part != "self"),
                _read_first_sentence(one),
            )
            for name, one in parts.items()
        ),
    )


def _errors() -> str:
    """Return the errors that each status leads to, for reads and for changes."""
    kinds = dict[tuple[str, str], list[str]]()
    for status in (302, 400, 401, 402, 403, 404, 408, 409, 410, 422, 423, 425, 429, 500, 502, 503, 504):
        answer = Response(status, CIMultiDictProxy(CIMultiDict()), b'{"message": "no"}')
        of_read, of_change = (type(to_error(answer, changes=one)).__name__ for one in (False, True))
        kinds.setdefault((of_read, of_change), []).append(str(status))
    return _rows(
        ("status", "of a read", "of a change"),
        ((", ".join(statuses), *(f"`{one}`" for one in both)) for both, statuses in kinds.items()),
    )


#: The generated tables of each page, by the heading above them.
MADE_TABLES: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "docs/performance.md": {
        "What Usher costs": _runs,
        "Missed": partial(list_figures, met=False),
        "Met": partial(list_figures, met=True),
        "Without a goal": partial(list_figures, met=None),
    },
    "docs/operate.md": {"Metrics": _metrics},
    "docs/settings.md": {"The environment": _settings},
    "docs/provider-api.md": {
        "Which error a status is": _errors,
        "What a provider declares": lambda: _fields(_list_build_bases(), own="Provider"),
        "What a rig says": partial(_fields, {"Rig": rigs.Rig}, own="Rig"),
        "What a rig says for facets": partial(_fields, {"FacetValues": rigs.FacetValues}, own="FacetValues"),
        "What a local server is built from": _server_parts,
        "What a guest says": partial(_fields, {"Guest": Guest}, own="Guest"),
        "Every error": _error_kinds,
        "What a provider has to implement": _methods,
    },
    "docs/slack-app.md": {
        "Scopes of the bot": lambda: _uses("scope", manifest.BOT_SCOPES),
        "Optional scopes of the bot": lambda: _uses("scope", manifest.OPTIONAL_SCOPES),
        "Scopes for Slack's assistant": lambda: _uses("scope", manifest.ASSISTANT_SCOPES),
        "Scopes of people": lambda: _uses("scope", manifest.USER_SCOPES),
        "Events": lambda: _uses("event", manifest.EVENTS),
        "Slash commands": lambda: _uses("command", manifest.COMMANDS),
        "Shortcuts": lambda: _uses("shortcut", manifest.SHORTCUTS),
    },
}


def with_tables(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return a page whose tables are regenerated from the code."""
    for heading, table in tables.items():
        place = re.compile(
            rf"(^#+ {re.escape(heading)}\n(?:(?!^#).*\n)*?{re.escape(_WRITTEN)})\n?((?:\|.*\n)*)",
            re.MULTILINE,
        )
        if (found := place.search(text)) is None:
            raise ValueError(f"no place for the table of {heading!r}")
        text = f"{text[: found.start()]}{found[1]}\n{table()}{text[found.end() :]}"
    return text


def write(root: Path) -> int:
    """Write the tables that are generated from the code."""
    for name, tables in MADE_TABLES.items():
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(with_tables(text, tables), encoding="utf-8")
    return 0


def stale(root: Path) -> Iterator[str]:
    """Yield each page whose tables differ from the code."""
    for name, tables in MADE_TABLES.items():
        if (path := root / name).is_file():
            text = path.read_text(encoding="utf-8")
            if with_tables(text, tables) != text:
                yield f"{name}: a table is not as the code has it: python tools/docs.py --write"


def main(root: Path) -> int:
    """Print the mistakes, and return 1 if there are any."""
    pages = documents(root)
    wrong = [
        f"{path.relative_to(root)}:{number}: {what}" for path in pages for number, what in find_mistakes(path)
    ]
    wrong += stale(root)
    print(
        "\n".join(wrong) if wrong else f"The links of {len(pages)} documents lead somewhere, in short lines."
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    run = {"--write": write}.get("".join(sys.argv[1:]), main)
    sys.exit(run(Path(__file__).resolve().parent.parent))
