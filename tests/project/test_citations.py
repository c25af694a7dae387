"""What comments and documents cite is in the repository: the file, the heading, the row, the decision."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.project.repository import ROOT, files, named

AREAS = ("bot", "handlers", "playground", "tests", "benchmarks", "tools")
#: Files that hold what is looked for here.
OWN = {"test_citations.py", "test_docs.py"}
SUFFIXES = {".py", ".sql", ".js", ".html", ".j2", ".toml"}
#: The end of a line within a comment or a docstring, with what the next line begins with.
FOLD = re.compile(r"\s*\n\s*(?:#:? |// |-- )?")
DOCUMENT = re.compile(
    r"(?<![\w/.-])([\w/-]+\.md)\b((?:(?:``|`)?,? (?:and )?\"[^\"]+\")*)((?:``|`)?, rows? [\d, to&and]+)?"
)
DECISION = re.compile(r"\bADRs? (\d+)|\bdocs/adr/(\d{4})\b")
#: Papers that somebody may have had beside them, but that are in nobody's copy of the repository.
ELSEWHERE = re.compile("\u00a7|\\b[Ss]eeds? 0\\d\\d\\b|\\bdesign (?:rule|1\\.)|\\bsecurity row")
MARKS = (".md", "ADR", "docs/", "\u00a7", "eed 0", "eeds 0", "design ", "security row")
#: Not one that is to be written: its content follows.
PATH = re.compile(r"`((?:bot|handlers|playground|tests|benchmarks|tools|docs)/[\w/.-]*)(?![\w/.-]|`:\n\n```)")


@cache
def headings(path: Path) -> frozenset[str]:
    found = re.findall(r"^#+ (?:\d+\. )?(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(found)


def has_row(path: Path, number: str) -> bool:
    return re.search(rf"^{number}\. ", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def cited(text: str) -> list[str]:
    """Look closely only at what holds a mark of a citation: most files hold none."""
    return list(problems(FOLD.sub(" ", text))) if any(mark in text for mark in MARKS) else []


def problems(text: str) -> Iterator[str]:
    for name, titles, rows in DOCUMENT.findall(text):
        path = ROOT / name
        if not path.is_file():
            yield f"there is no {name}"
            continue
        yield from (
            f"{name} has no heading {title!r}"
            for title in re.findall('"([^"]+)"', titles)
            if title not in headings(path)
        )
        yield from (f"{name} has no row {row}" for row in re.findall(r"\d+", rows) if not has_row(path, row))
    for found in DECISION.findall(text):
        number = next(filter(None, found)).zfill(4)
        if not list((ROOT / "docs/adr").glob(f"{number}-*.md")):
            yield f"there is no decision {number}"
    yield from (f"{found!r} is in no document here" for found in ELSEWHERE.findall(text))


@pytest.mark.parametrize("area", AREAS)
def test_code_cites_what_is_in_the_repository(area):
    found = [
        f"{named(path)}: {problem}"
        for path in files()
        if path.suffix in SUFFIXES and path.relative_to(ROOT).parts[0] == area and path.name not in OWN
        for problem in cited(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def exists(name: str) -> bool:
    path = ROOT / name
    return path.exists() or any(path.parent.glob(f"{path.name}*"))


def wrong_in(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    yield from ELSEWHERE.findall(text)
    if path.parent.name != "adr":  # A decision speaks of the day on which it was made.
        yield from (name for name in PATH.findall(text) if not exists(name))


def test_documents_name_what_is_in_the_repository():
    documents = [path for path in files() if path.suffix == ".md" and path.name != "CHANGELOG.md"]
    found = [f"{named(path)}: {wrong}" for path in documents for wrong in wrong_in(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ('read ``docs/internals/rules.md``, "The poll gate"', None),
        ('read ``docs/internals/rules.md``, "The poll\n    #: gate"', None),
        ('read ``docs/internals/rules.md``, "The poll gate" and "Nobody waits for ever"', "no heading"),
        ("read ``docs/internals/security.md``, rows 1 and 15", None),
        ("read ``docs/internals/security.md``, rows 1 and 99", "no row 99"),
        ("read ``docs/nothing" + ".md``", "there is no docs/nothing"),
        ("read ``nothing" + ".md``", "there is no nothing"),
        ("as ADR 6 says", None),
        ("as ADR " + "9999 says", "no decision 9999"),
        ("see design " + "\u00a73.1", "in no document here"),
    ],
)
def test_what_is_not_there_is_found(comment, problem):
    found = cited(comment)
    assert bool(found) == bool(problem), found
    assert not problem or problem in found[0]
