"""Write docs/messages.md: every message, form and text as a person reads it, from the golden files."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs/messages.md"
HEAD: Final = """# Every message, as people read it

Made from `tests/golden` by `python tools/messages.py`, for proofreading: read it from top to bottom, change
the text in `bot/messages/texts`, regenerate the golden files, and run it again. A button stands in brackets;
in bold if it is the coloured one, with ⚠ if it is red. What it asks first follows in parentheses. Times are
in UTC here, and in the reader's own zone in Slack."""
#: The folders of golden files in the order of the page, each with its heading.
FOLDERS: Final[Mapping[str, str]] = {
    "home": "Home",
    "answers": "Answers to commands and buttons",
    "help": "Help on one verb",
    "cards": "Cards of workspaces",
    "jobs": "Job runs: cards, output, messages, questions",
    "notices": "Messages nobody should miss",
    "past": "What older messages become",
    "views": "Forms",
    "texts": "All texts, with their placeholders",
}
#: A block of output with more lines is shortened.
_LONG: Final = 12
_LABELS: Final = {"primary": "[**{}**]", "danger": "[⚠ {}]"}
_DATE: Final = re.compile(r"<!date\^(\d+)\^([^|>^]*)(?:\^[^|>]*)?\|[^>]*>")
_NAMED: Final = re.compile(r"<(?:https?://|[#@!])[^|>]*\|([^>]*)>")
_BARE: Final = re.compile(r"<([#@!][^|>]*|https?://[^|>]*)>")
_BOLD: Final = re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])")


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    golden = ROOT / "tests/golden"
    others = sorted(folder.name for folder in golden.iterdir() if folder.name not in FOLDERS)
    for folder in [*FOLDERS, *others]:
        parts.append(f"## {FOLDERS.get(folder, folder.capitalize())}")
        for path in sorted((golden / folder).glob("*.json")):
            shown = json.loads(path.read_text(encoding="utf-8"))
            parts.append(f"### {folder}/{path.stem}")
            parts.append(_texts(shown) if folder == "texts" else _quoted(_lines(shown)))
    return "\n\n".join(parts) + "\n"


def _texts(texts: Mapping[str, str]) -> str:
    return "\n".join(f"- `{name}`: {_line(text).replace(chr(10), ' ⏎ ')}" for name, text in texts.items())


def _quoted(lines: Sequence[str]) -> str:
    """Return lines as a Markdown quotation in which each stays a line of its own."""
    return "\n>\n".join("> " + (_fenced(line) if "```" in line else _broken(line)) for line in lines)


def _broken(line: str) -> str:
    """Return a text whose lines Markdown keeps apart."""
    return line.replace("\n", "\\\n> ")


def _fenced(block: str) -> str:
    """Return a block of output, without the middle of a long one."""
    lines = block.split("\n")
    shown = lines if len(lines) <= _LONG else [*lines[:3], "…", *lines[-3:]]
    return "\n> ".join(shown)


def _lines(shown: Mapping[str, Any]) -> list[str]:
    """Return what a message or a view shows, a line for each thing."""
    lines = []
    if shown.get("text"):
        lines.append(f"<sub>Notification: {_line(shown['text'])}</sub>")
    if "title" in shown:
        lines.append(f"**Form: {_plain(shown['title'])}**")
    for block in shown.get("blocks") or ():
        lines += _block(block)
    ends = [_LABELS["primary"].format(_plain(shown["submit"]))] if "submit" in shown else []
    ends += [f"[{_plain(shown['close'])}]"] if "close" in shown else []
    return [*lines, *([" ".join(ends)] if ends else [])]


def _block(block: Mapping[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "section":
            beside = f" {_element(block['accessory'])}" if "accessory" in block else ""
            yield f"{_text(block['text'])}{beside}"
        case "header":
            yield f"**{_plain(block['text'])}**"
        case "context":
            for element in block["elements"]:
                yield f"<sub>{_text(element)}</sub>"
        case "actions":
            yield " ".join(_element(element) for element in block["elements"])
        case "input":
            hint = f" <sub>{_plain(block['hint'])}</sub>" if "hint" in block else ""
            optional = " (optional)" if block.get("optional") else ""
            yield f"{_plain(block['label'])}{optional}: {_element(block['element'])}{hint}"
        case "divider":
            yield "———"
        case other:
            yield f"({other})"


def _element(element: Mapping[str, Any]) -> str:
    if element["type"] == "button":
        label = _LABELS.get(element.get("style", ""), "[{}]").format(_plain(element["text"]))
        return f"{label}{_question(element['confirm'])}" if "confirm" in element else label
    chosen = element.get("initial_option") or element.get("initial_options")
    picked = [chosen] if isinstance(chosen, dict) else chosen or []
    options = [
        f"☑ {_plain(one['text'])}" if one in picked else _plain(one["text"])
        for one in element.get("options") or picked
    ]
    said = _plain(element["placeholder"]) if "placeholder" in element else element["type"].replace("_", " ")
    given = element.get("initial_value") or element.get("initial_time") or element.get("initial_date")
    return f"▾ {' | '.join([str(given) if given else said, *options])}"


def _question(asked: Mapping[str, Any]) -> str:
    yes = _LABELS.get(asked.get("style", ""), "[{}]").format(_plain(asked["confirm"]))
    return f" (“{_plain(asked['title'])}” {_text(asked['text'])} {yes} [{_plain(asked['deny'])}])"


def _text(text: Mapping[str, Any]) -> str:
    return _line(text["text"]) if text["type"] == "mrkdwn" else _plain(text)


def _plain(text: Mapping[str, Any]) -> str:
    return _safe(unescape(text["text"]))


def _line(text: str) -> str:
    """Return Slack's markup as Markdown: dates in UTC, people and channels by id, entities undone."""
    text = _DATE.sub(lambda mark: _date(int(mark[1]), mark[2]), text)
    text = _BARE.sub(lambda mark: mark[1], _NAMED.sub(lambda mark: mark[1], text))
    return _BOLD.sub(r"**\1**", _safe(unescape(text)))


def _date(at: int, form: str) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    day = f"{moment:%b} {moment.day}, {moment.year}"
    return re.sub(r"\{(\w+)\}", lambda mark: f"{moment:%H:%M}" if "time" in mark[1] else day, form)


def _safe(text: str) -> str:
    """Return a text in which Markdown sees no HTML."""
    return text.replace("<", "\\<")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written.\n")
