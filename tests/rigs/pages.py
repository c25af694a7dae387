"""The commands in the documentation, exactly as they are written there."""

import re

from tests.project.repository import ROOT

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
#: Matches a command in a sentence. Usher's own need three words, because two alone are only a command's name.
_TYPED = re.compile(
    r"(?:usher(?:-run)? \w+ \S|"
    r"(?:docker|podman|kubectl|systemctl|sudo|cp|mv|rm|git|pg_dump|pg_restore|createdb|dropdb|psql) \S)"
)
#: Matches the end of a line if the command continues on the next line.
_GOES_ON = re.compile(r"(?:\\|&&|\|)\s*$")


def read_section(page: str, heading: str = "") -> str:
    """Return a page, or the section below a heading, with its subsections."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if not heading:
        return text
    kept, level, is_code = [], 0, False
    for line in text.splitlines(keepends=True):
        is_code ^= line.lstrip().startswith("```")
        signs = 0 if is_code else len(line) - len(line.lstrip("#"))
        if level and 0 < signs <= level:
            break
        level = level or (signs if line.strip("# \n") == heading else 0)
        kept += [line] * bool(level)
    assert kept, f"{page} has no heading {heading}"
    return "".join(kept)


def read_blocks(section: str) -> list[list[str]]:
    """Return the commands of each code block that has no language."""
    return [
        _split(re.sub(rf"^{indent}", "", code, flags=re.MULTILINE))
        for indent, language, code in _BLOCK.findall(section)
        if not language
    ]


def read_inline_commands(section: str) -> list[str]:
    """Return the commands within sentences."""
    found = (re.sub(r"\s+", " ", code) for code in _INLINE.findall(_BLOCK.sub("", section)))
    return [code for code in found if _TYPED.match(code)]


def find_block(page: str, *parts: str, heading: str = "") -> list[str]:
    """Return the commands of the only block, on a page or below a heading, that has all of these parts."""
    blocks = read_blocks(read_section(page, heading))
    (block,) = (one for one in blocks if all(any(part in command for command in one) for part in parts))
    return block


def find_inline(page: str, part: str) -> list[str]:
    """Return the command within a page's sentences that contains this part, as a list of one."""
    return [next(one for one in read_inline_commands(read_section(page)) if part in one)]


def _split(code: str) -> list[str]:
    """Split a code block into commands, each with all its lines."""
    commands, text = [], ""
    for line in code.splitlines(keepends=True):
        text += line
        if not _GOES_ON.search(text) and text.count("'") % 2 == 0:
            commands.append(text.strip())
            text = ""
    assert not text, f"a command doesn't end: {text}"
    return [one for one in commands if one]
