"""Check every Markdown file: short lines, and links that lead somewhere; print the others, end with 1."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bot.commands.pages import anchor_of

LONGEST_LINE = 120
#: Folders of made things, beside those that begin with a dot.
MADE = frozenset({"build", "dist", "env"})
_FENCE = re.compile(r" *```")
_CODE = re.compile(r"(`+).+?\1")
_HEADING = re.compile(r"#+ (.+)")
#: Where a link, a picture or the definition of a link leads.
_TARGET = re.compile(r"\]\(([^)\s]*)\)|\b(?:src|href)=\"([^\"]*)\"|^\[[^\]]+\]: (\S+)")
#: The name of a link that is defined elsewhere in the file, and its definition.
_NAME = re.compile(r"\]\[([^\]]+)\]")
_DEFINITION = re.compile(r"^\[([^\]]+)\]: ", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z]+:")


def documents(root: Path) -> list[Path]:
    """Return the Markdown files below a folder, without those of hidden and made folders."""
    found = sorted(root.rglob("*.md"))
    return [path for path in found if not _is_made(path.relative_to(root).parts[:-1])]


def _is_made(folders: tuple[str, ...]) -> bool:
    return any(name in MADE or (name.startswith(".") and name != ".github") for name in folders)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line outside blocks of code, with its number."""
    is_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            yield number, line


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return what GitHub calls a file's headings in links; the second of the same words ends in ``-1``."""
    found = list[str]()
    before = Counter[str]()
    for _, line in prose(path.read_text(encoding="utf-8")):
        if heading := _HEADING.fullmatch(line):
            words = anchor_of(heading[1])
            found.append(f"{words}-{before[words]}" if before[words] else words)
            before[words] += 1
    return frozenset(found)


def leads_nowhere(path: Path, target: str) -> bool:
    """Say whether a link in a file leads to no file, or to no heading of one."""
    if _ELSEWHERE.match(target):
        return False
    name, _, anchor = target.partition("#")
    file = path.parent / name if name else path
    return not file.exists() or (bool(anchor) and (file.is_dir() or anchor not in anchors(file)))


def wrong_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what is wrong in a file, each with the number of its line."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        # A row of a table has to be one line.
        if len(line) > LONGEST_LINE and not line.startswith("| "):
            yield number, f"{len(line)} characters, of at most {LONGEST_LINE}"
    defined = set(_DEFINITION.findall(text))
    for number, line in prose(text):
        plain = _CODE.sub("", line)
        for found in _TARGET.finditer(plain):
            target = next(part for part in found.groups() if part is not None)
            if leads_nowhere(path, target):
                yield number, f"a link that leads nowhere: {target}"
        for name in _NAME.findall(plain):
            if name not in defined:
                yield number, f"a link that isn't defined: {name}"


def main(root: Path) -> int:
    """Print what is wrong; return 1 where something is."""
    pages = documents(root)
    wrong = [
        f"{path.relative_to(root)}:{number}: {what}" for path in pages for number, what in wrong_in(path)
    ]
    print(
        "\n".join(wrong) if wrong else f"The links of {len(pages)} documents lead somewhere, in short lines."
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
