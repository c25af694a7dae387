"""Small checks from which the limits are built. Each reports problems with a JSON pointer to the place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: A check of a value. It gets the value, the JSON pointer to it, and the report for its problems.
Checker = Callable[[Any, str, "Report"], None]


class Report:
    """Collects problems, each with a pointer to its place."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.remarks: list[str] = []

    def say(self, pointer: str, message: str) -> None:
        """Add a problem."""
        self.messages.append(f"{message} [json-pointer:{pointer}]")

    def remark(self, pointer: str, message: str) -> None:
        """Add a problem that Slack accepts although it is careless. It ends up among the violations."""
        self.remarks.append(f"{message} [json-pointer:{pointer}]")


@dataclass(frozen=True, slots=True)
class Shape:
    """Checks an object: its required fields, its optional fields, and then the object as a whole."""

    required: Mapping[str, Checker] = field(default_factory=dict)
    optional: Mapping[str, Checker] = field(default_factory=dict)
    whole: Checker | None = None

    def __call__(self, value: Any, pointer: str, report: Report) -> None:
        """Check an object. An optional field may be null."""
        if not isinstance(value, dict):
            report.say(pointer, "must provide an object")
            return
        for name in self.required:
            if value.get(name) is None:
                report.say(pointer, f"missing required field: {name}")
        for name, part in value.items():
            check = self.required.get(name) or self.optional.get(name)
            if name != "type" and check is None:
                report.say(pointer, f"invalid additional property: {name}")
            elif check is not None and part is not None:
                check(part, f"{pointer}/{name}", report)
        if self.whole is not None:
            self.whole(value, pointer, report)


def length(value: str, pointer: str, report: Report, *, most: int, least: int) -> None:
    """Check the number of characters."""
    if len(value) < least:
        report.say(pointer, f"must be more than {least - 1} characters")
    if len(value) > most:
        report.say(pointer, f"must be less than {most + 1} characters")


def string(most: int, least: int = 1) -> Checker:
    """Return a check for a string whose length is between ``least`` and ``most``."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, str):
            report.say(pointer, "must provide a string")
        else:
            length(value, pointer, report, most=most, least=least)

    return check


def pattern(expression: str, words: str) -> Checker:
    """Return a check for strings that ``expression`` matches in full; ``words`` describe the format."""
    compiled = re.compile(expression)

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            report.say(pointer, f"must be in the format {words}")

    return check


def boolean(value: Any, pointer: str, report: Report) -> None:
    """Check a boolean."""
    if not isinstance(value, bool):
        report.say(pointer, "must be a boolean")


def integer(least: int, most: int) -> Checker:
    """Return a check for a whole number between two limits."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            report.say(pointer, "must provide an integer")
        elif not least <= value <= most:
            report.say(pointer, f"must be between {least} and {most}")

    return check


def number(value: Any, pointer: str, report: Report) -> None:
    """Check a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        report.say(pointer, "must provide a number")


def one_of(*allowed: str) -> Checker:
    """Return a check that a value is one of the allowed ones."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if value not in allowed:
            report.say(pointer, f"value must be one of: {', '.join(allowed)}")

    return check


def anything(_value: Any, _pointer: str, _report: Report) -> None:
    """Accept any value, because this server doesn't check the field."""


def url(most: int) -> Checker:
    """Return a check for an absolute URL of at most ``most`` characters."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, str) or "://" not in value or any(c.isspace() for c in value):
            report.say(pointer, "must be a valid URL")
        else:
            length(value, pointer, report, most=most, least=1)

    return check


def text(most: int, *, plain: bool = False, least: int = 1) -> Checker:
    """Return a check for a text object. With ``plain``, only plain_text is allowed."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.say(pointer, "must provide an object")
            return
        kind = value.get("type")
        allowed = ("plain_text",) if plain else ("plain_text", "mrkdwn")
        if kind not in allowed:
            report.say(pointer, f"unsupported type: {kind}" if kind else "missing required field: type")
            return
        extra = {"emoji": boolean} if kind == "plain_text" else {"verbatim": boolean}
        Shape({"text": string(most, least)}, extra)(value, pointer, report)

    return check


def items(check: Checker, most: int, least: int = 1) -> Checker:
    """Return a check for a list: its length, and each of its items."""

    def checked(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, list):
            report.say(pointer, "must be an array")
            return
        if len(value) < least:
            report.say(
                pointer, f"no fewer than {least} items required" if least > 1 else "must be a nonempty array"
            )
        if len(value) > most:
            report.say(pointer, f"no more than {most} items allowed")
        for number, item in enumerate(value):
            check(item, f"{pointer}/{number}", report)

    return checked


def typed(shapes: dict[str, Checker]) -> Checker:
    """Return a check that selects the shape by the object's ``type`` and reports unsupported types."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.say(pointer, "must provide an object")
            return
        kind = value.get("type")
        if not isinstance(kind, str):
            report.say(pointer, "missing required field: type")
        elif kind not in shapes:
            report.say(f"{pointer}/type", f"unsupported type: {kind}")
        else:
            shapes[kind](value, pointer, report)

    return check


def exactly_one(*names: str) -> Checker:
    """Return a check that exactly one of these fields is present."""

    def check(value: Any, pointer: str, report: Report) -> None:
        given = [name for name in names if value.get(name) is not None]
        if not given:
            report.say(pointer, f"must define either `{'` or `'.join(names)}`")
        elif len(given) > 1:
            report.say(pointer, f"must not define both `{'` and `'.join(given)}`")

    return check
