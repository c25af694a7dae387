"""Button values: the action, row and time that a button carries and that Slack returns when it is pressed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot.domain.stops import Consent
from bot.messages.blocks import limits

#: Flag saying that the person has already confirmed the action and needn't be asked again. Buttons carry it
#: in their values, and people can type it in a command.
AGREED: Final = "yes"
_AGREED: Final = {AGREED: Consent.GIVEN, "knowing": Consent.KNOWING}
_NUMBER_PATTERN: Final = re.compile(r"[0-9]{1,3}")
_TIME_PATTERN: Final = re.compile(r"u([0-9]{1,11})")
_VALUE_PATTERN: Final = re.compile(r"(\w+)@(\d{1,18})")


class ButtonValue(NamedTuple):
    """The value written into a button when it is rendered and read back when it is pressed.

    ``key`` names a row, which is read and authorised again on each press.
    """

    name: str
    key: str = ""
    #: The workspace's start count when the button was rendered. Once the workspace is started again, the
    #: button is out of date. None for buttons that a start doesn't affect.
    seen: int | None = None
    #: The consent that a person gives by pressing the button, for example to ending a workspace permanently.
    #: ``KNOWING`` means that the question shown with the button said what would be lost.
    agreed: Consent = Consent.NONE
    #: A number that distinguishes buttons with the same action for different rows of a message. ``mark`` is a
    #: word, such as "refresh", that distinguishes buttons with the same action but different purposes.
    number: int | None = None
    mark: str = ""
    at: float | None = None

    @classmethod
    def read(cls, action_id: str, value: str = "") -> ButtonValue:
        """Read a button's action and value. An earlier release may have written them. Never raises."""
        name, *parts = action_id.split(":")
        match = _VALUE_PATTERN.fullmatch(value)
        found: dict[str, Any] = {"key": match[1], "seen": int(match[2])} if match else {"key": value}
        for part in parts:
            if part in _AGREED:
                found["agreed"] = _AGREED[part]
            elif _NUMBER_PATTERN.fullmatch(part):
                found["number"] = int(part)
            elif time := _TIME_PATTERN.fullmatch(part):
                found["at"] = float(time[1])
            else:
                found["mark"] = part
        return cls(name, **found)

    @classmethod
    def from_button(cls, button: Mapping[str, Any]) -> ButtonValue:
        """Read the value of a rendered button."""
        return cls.read(button["action_id"], button.get("value", ""))

    @classmethod
    def from_text(cls, text: str) -> ButtonValue:
        """Read a value from a single string, as stored in a menu option, a form or a question's button."""
        action_id, _, value = text.partition(" ")
        return cls.read(action_id, value)

    @property
    def action_id(self) -> str:
        """Return the action id to write into the button."""
        parts = [part for part, agreed in _AGREED.items() if agreed == self.agreed]
        parts += [self.mark] if self.mark else []
        parts += [str(self.number)] if self.number is not None else []
        parts += [f"u{self.at:.0f}"] if self.at is not None else []
        return ":".join([self.name, *parts])[: limits.MAX_ACTION_ID_LENGTH]

    @property
    def value(self) -> str:
        """Return the string to write into the button as its value."""
        return self.key if self.seen is None else f"{self.key}@{self.seen}"

    @property
    def text(self) -> str:
        """Return the action and the value as a single string, the inverse of ``from_text``."""
        return f"{self.action_id} {self.value}" if self.value else self.action_id
