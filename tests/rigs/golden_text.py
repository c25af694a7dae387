"""Converts messages and views to readable text and back, without leaving anything out.

The text of a message begins with its notification, that of a view with its title and its other fields. Each
block is an item of the list below::

    - *notebook* · Team hub            a section that is shown whole; its accessory follows
    - [!Stop!] stop = id@1             a row of buttons and menus: label, action, value
      ♪ Stop notebook on Team hub      the text that a screen reader reads instead
      ? Stop notebook? This stops …    the button's question, with both answers
    - # Your accounts                  a header
    - ~ As of 3:09 PM.                lines of context
    - = Minutes (minutes, optional)    a field of a form; its element follows
    - ---                              a divider

Labels of coloured buttons are enclosed in asterisks, those of red ones in exclamation marks. Everything for
which there is no notation is written as JSON.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_MARKS: Final = {"": "", "primary": "*", "danger": "!"}
_JSON: Final = ("⟪", "⟫")
_BREAK: Final = "⏎"
_HIDDEN: Final[Mapping[str, Any]] = {"replaces": False}
_BUTTON: Final = re.compile(r"\[(?P<label>.*)\] (?P<action>\S+)(?: = (?P<value>.*?))?(?: → (?P<url>\S+))?")
_MENU: Final = re.compile(r"(?P<type>[a-z_]+) (?P<action>\S+)(?: “(?P<placeholder>.*)”)?")
_FIELD: Final = re.compile(
    r"(?P<label>.*) \((?P<block>\S+?)(?P<optional>, optional|, required)?\)(?: (?P<rest>⟪.*))?"
)
_OPTIONAL: Final = {True: ", optional", False: ", required", None: ""}
_QUESTION: Final = re.compile(r"(?P<title>[^?]*\?) (?P<text>.*) \[(?P<yes>.*)\] or \[(?P<no>.*)\]")


def write(shown: Mapping[str, Any]) -> str:
    """Convert a message's body or a view to text."""
    lines = [
        f"{key}: {_text(value) if isinstance(value, dict) else _word(value)}"
        for key, value in sorted(shown.items())
        if key != "blocks" and _HIDDEN.get(key) != value
    ]
    for block in shown.get("blocks") or ():
        first, *more = [line for part in _block(block) for line in part.split("\n")]
        lines += [f"- {first}", *(f"  {line}" if line else "" for line in more)]
    return "\n".join(lines)


def read(written: str) -> dict[str, Any]:
    """Convert the text back to the message or view. This proves that ``write`` leaves nothing out."""
    lines = written.split("\n")
    begin = next((at for at, line in enumerate(lines) if line.startswith("- ")), len(lines))
    shown = {key: _read_word(value) for key, _, value in (line.partition(": ") for line in lines[:begin])}
    if "type" not in shown:
        shown = {**_HIDDEN, **shown}
    else:
        shown.update({key: _read_text(shown[key]) for key in ("title", "submit", "close") if key in shown})
    entries: list[list[str]] = []
    for line in lines[begin:]:
        if line.startswith("- "):
            entries.append([])
        entries[-1].append(line[2:])
    return {**shown, "blocks": [_read_block(entry) for entry in entries]}


def _block(block: Mapping[str, Any]) -> list[str]:
    match block:
        case {"type": "section", "text": text, **rest} if _is_plain(block):
            return [_text(text, "mrkdwn"), *(_element(rest["accessory"]) if "accessory" in rest else ())]
        case {"type": "header", "text": text, **rest} if not rest:
            return [f"# {_text(text)}"]
        case {"type": "context", "elements": texts, **rest} if not rest:
            return [f"~ {_text(text, 'mrkdwn')}" for text in texts]
        case {"type": "actions", "elements": elements, **rest} if not rest:
            return [line for element in elements for line in _element(element)]
        case {"type": "actions", "elements": elements, "block_id": name, **rest} if not rest:
            return [f"@ {name}", *(line for element in elements for line in _element(element))]
        case {"type": "input", "label": label, "block_id": block_id, "element": element, **rest}:
            optional = _OPTIONAL[rest.pop("optional", None)]
            hint = [f"~ {_text(rest.pop('hint'))}"] if "hint" in rest else []
            return [
                " ".join([f"= {_text(label)} ({block_id}{optional})", *_rest(rest)]),
                *_element(element),
                *hint,
            ]
        case {"type": "divider", **rest} if not rest:
            return ["---"]
        case _:
            return [_as_json(block)]


def _read_block(lines: list[str]) -> dict[str, Any]:
    first, *more = lines
    if first == "---":
        return {"type": "divider"}
    if first.startswith(_JSON[0]):
        return _from_json(first)
    if first.startswith("@ "):
        return {"type": "actions", "block_id": first[2:], "elements": _read_elements(more)}
    if first.startswith("# "):
        return {"type": "header", "text": _read_text(first[2:])}
    if first.startswith("~ "):
        texts = re.split(r"\n?^~ ", "\n".join(lines), flags=re.MULTILINE)[1:]
        return {"type": "context", "elements": [_read_text(text, "mrkdwn") for text in texts]}
    if _is_element(first):
        return {"type": "actions", "elements": _read_elements(lines)}
    if first.startswith("= "):
        found = _FIELD.fullmatch(first[2:])
        rest = _from_json(found["rest"]) if found["rest"] else {}
        hint = {"hint": _read_text(more.pop()[2:])} if more[-1].startswith("~ ") else {}
        optional = {"optional": found["optional"] == _OPTIONAL[True]} if found["optional"] else {}
        begins = {"type": "input", "label": _read_text(found["label"]), "block_id": found["block"]}
        return {**begins, "element": _read_elements(more)[0], **hint, **optional, **rest}
    at = next((at for at, line in enumerate(lines) if at and _is_element(line)), len(lines))
    accessory = {"accessory": _read_elements(lines[at:])[0]} if lines[at:] else {}
    text = _read_text("\n".join(lines[:at]), "mrkdwn")
    return {"type": "section", "text": text, **_expand(text), **accessory}


def _is_plain(section: Mapping[str, Any]) -> bool:
    """Return whether a section has the usual properties. All sections except output are shown whole."""
    rest = {name: value for name, value in section.items() if name not in {"type", "text", "accessory"}}
    return rest == _expand(section["text"])


def _expand(text: Mapping[str, Any]) -> dict[str, Any]:
    return {} if text["text"].startswith("```") else {"expand": True}


def _element(element: Mapping[str, Any]) -> list[str]:
    rest = dict(element)
    kind, action = rest.pop("type"), rest.pop("action_id", "-")
    if kind == "button":
        value, url, asked = rest.pop("value", None), rest.pop("url", None), rest.pop("confirm", None)
        shown = f"[{_label(rest)}] {action}"
        shown += f" = {value}" if value is not None else ""
        shown += f" → {url}" if url is not None else ""
        label = [f"♪ {rest.pop('accessibility_label')}"] if "accessibility_label" in rest else []
        return [shown, *label, *([_question(asked)] if asked else ()), *_rest(rest)]
    placeholder = rest.pop("placeholder", None)
    chosen, options = rest.get("initial_option"), rest.pop("options", [])
    shown = f"▾ {kind} {action}" + (f" “{_text(placeholder)}”" if placeholder else "")
    picked = [chosen] if chosen else rest.get("initial_options", [])
    if all(one in options for one in picked):
        rest.pop("initial_option", None)
        # If none of several choices is selected, the text doesn't say that several may be selected.
        rest.pop("initial_options", None)
    marks = ["x" if one in picked else "o" for one in options]
    return [
        shown,
        *(f"{mark} {_option(one)}" for mark, one in zip(marks, options, strict=True)),
        *_rest(rest),
    ]


def _is_element(line: str) -> bool:
    return line.startswith("▾ ") or bool(line.startswith("[") and _BUTTON.fullmatch(line))


def _read_elements(lines: list[str]) -> list[dict[str, Any]]:
    begins = [at for at, line in enumerate(lines) if _is_element(line)]
    return [_read_element(lines[at:end]) for at, end in zip(begins, [*begins[1:], None], strict=True)]


def _read_element(lines: list[str]) -> dict[str, Any]:
    first, *more = lines
    rest = _read_rest(more)
    if found := _BUTTON.fullmatch(first):
        known = {"type": "button", **_read_label(found["label"]), "action_id": found["action"]}
        known |= {key: found[key] for key in ("value", "url") if found[key] is not None}
        asked = {"accessibility_label": more.pop(0)[2:]} if more and more[0].startswith("♪ ") else {}
        asked |= {"confirm": _read_question(more[0])} if more else {}
    else:
        found = _MENU.fullmatch(first[2:])
        known = {"type": found["type"], "action_id": found["action"]}
        if found["placeholder"] is not None:
            known["placeholder"] = _read_text(found["placeholder"])
        options = [_read_option(line[2:]) for line in more]
        picked = [option for option, line in zip(options, more, strict=True) if line.startswith("x ")]
        asked = {"options": options} if options else {}
        if picked:
            asked |= (
                {"initial_options": picked}
                if found["type"] == "checkboxes"
                else {"initial_option": picked[0]}
            )
    if known["action_id"] == "-":
        del known["action_id"]
    return {**known, **asked, **rest}


def _question(asked: Mapping[str, Any]) -> str:
    rest = dict(asked)
    title, text, no = _text(rest.pop("title")), _text(rest.pop("text")), _text(rest.pop("deny"))
    yes = _label({"text": rest.pop("confirm"), **({"style": rest.pop("style")} if "style" in rest else {})})
    return f"? {title} {text} [{yes}] or [{no}]"


def _read_question(line: str) -> dict[str, Any]:
    found = _QUESTION.fullmatch(line[2:])
    label = _read_label(found["yes"])
    known = {"title": _read_text(found["title"]), "text": _read_text(found["text"])}
    style = {"style": label["style"]} if "style" in label else {}
    return {**known, "confirm": label["text"], "deny": _read_text(found["no"]), **style}


def _label(rest: dict[str, Any]) -> str:
    mark = _MARKS[rest.pop("style", "")]
    return f"{mark}{_text(rest.pop('text'))}{mark}"


def _read_label(label: str) -> dict[str, Any]:
    for style, mark in _MARKS.items():
        if mark and label.startswith(mark) and label.endswith(mark):
            return {"text": _read_text(label[1:-1]), "style": style}
    return {"text": _read_text(label)}


def _option(option: Mapping[str, Any]) -> str:
    if not {"text", "value"} <= set(option) <= {"text", "value", "url"}:
        return _as_json(option)
    url = f" → {option['url']}" if "url" in option else ""
    return f"{_text(option['text'])} = {option['value']}{url}"


def _read_option(line: str) -> dict[str, Any]:
    if line.startswith(_JSON[0]):
        return _from_json(line)
    line, _, url = line.partition(" → ")
    text, _, value = line.rpartition(" = ")
    return {"text": _read_text(text), "value": value, **({"url": url} if url else {})}


def _text(text: Mapping[str, Any], kind: str = "plain_text") -> str:
    """Return a text object's text, on one line unless it is a block's own text."""
    if text != _text_object(text.get("text", ""), kind):
        return _as_json(text)
    return text["text"] if kind == "mrkdwn" else text["text"].replace("\n", _BREAK)


def _read_text(text: str, kind: str = "plain_text") -> dict[str, Any]:
    if text.startswith(_JSON[0]):
        return _from_json(text)
    return _text_object(text if kind == "mrkdwn" else text.replace(_BREAK, "\n"), kind)


def _text_object(text: str, kind: str) -> dict[str, Any]:
    return {"type": kind, "text": text, **({"verbatim": True} if kind == "mrkdwn" else {"emoji": False})}


def _word(value: object) -> str:
    return value.replace("\n", _BREAK) if isinstance(value, str) else _as_json(value)


def _read_word(value: str) -> Any:
    return _from_json(value) if value.startswith(_JSON[0]) else value.replace(_BREAK, "\n")


def _rest(rest: Mapping[str, Any]) -> list[str]:
    return [_as_json(rest)] if rest else []


def _read_rest(lines: list[str]) -> dict[str, Any]:
    return _from_json(lines.pop()) if lines and lines[-1].startswith(f"{_JSON[0]}{{") else {}


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).join(_JSON)


def _from_json(written: str) -> Any:
    return json.loads(written.removeprefix(_JSON[0]).removesuffix(_JSON[1]))
