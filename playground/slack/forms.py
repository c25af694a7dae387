"""A modal as a form: read its fields, fill them in as a person does, choose among suggested options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from playground.slack import inputs
from playground.slack.errors import SlackError
from playground.slack.hands import Hands
from playground.slack.kit import entities
from playground.slack.kit.blocks import elements_of
from playground.slack.records import Json, View
from playground.slack.state import State


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form; ``value`` is what it holds: a text, an id, an option's value, or a list."""

    block_id: str
    action_id: str
    type: str
    label: str
    hint: str
    value: Any
    #: Value and text of the options that it brings along; empty for those that the app suggests.
    options: dict[str, str]
    optional: bool
    #: Whether the app hears of each choice.
    live: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """The modal that somebody looks at."""

    view_id: str
    hash: str
    callback_id: str
    private_metadata: str
    title: str
    submit: str | None
    #: Texts of the blocks between the fields.
    words: tuple[str, ...]
    fields: tuple[Field, ...]
    #: Action ids of the buttons and overflow menus in its blocks.
    buttons: tuple[str, ...]
    errors: dict[str, str]
    trouble: str | None

    def field(self, action_id: str, block_id: str | None = None) -> Field:
        """Return a field by its action_id (and block_id); an unknown one raises KeyError."""
        for field in self.fields:
            if field.action_id == action_id and block_id in (None, field.block_id):
                return field
        raise KeyError(action_id)

    @property
    def values(self) -> dict[str, Any]:
        """Return what the fields hold, by action_id."""
        return {field.action_id: field.value for field in self.fields}

    def to_json(self) -> Json:
        """Return the form as the page's API does."""
        return asdict(self)


def _plain(value: Any) -> Any:
    """Return options by their values alone."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value["value"] if isinstance(value, dict) and "value" in value else value


def _text(part: Json | None) -> str:
    return entities.read(str(part["text"])) if part else ""


def _words(block: Json) -> list[str]:
    parts = [block.get("text"), *(block.get("fields") or [])]
    if block["type"] == "context":
        parts += [element for element in block["elements"] if element["type"] != "image"]
    return [_text(part) for part in parts if isinstance(part, dict)]


def read(view: View) -> Form:
    """Read a view as a form."""
    given = view.definition
    values = inputs.state_values(given["blocks"], view.values)
    fields: list[Field] = []
    buttons: list[str] = []
    words: list[str] = []
    for block in given["blocks"]:
        words += _words(block)
        for element in elements_of(block):
            state = values.get(block["block_id"], {}).get(element["action_id"])
            if state is None:
                buttons.append(element["action_id"])
                continue
            label = _text(block.get("label") or block.get("text") or element.get("placeholder"))
            fields.append(
                Field(
                    block["block_id"],
                    element["action_id"],
                    element["type"],
                    label,
                    _text(block.get("hint")),
                    _plain(inputs.held(state)),
                    {option["value"]: _text(option["text"]) for option in inputs.offered(element)},
                    block["type"] != "input" or bool(block.get("optional")),
                    inputs.is_live(block, element),
                    view.errors.get(block["block_id"]),
                )
            )
    return Form(
        view.id,
        view.hash,
        given.get("callback_id") or "",
        given.get("private_metadata") or "",
        _text(given.get("title")),
        _text(given.get("submit")) or None,
        tuple(words),
        tuple(fields),
        tuple(buttons),
        dict(view.errors),
        view.trouble,
    )


class Forms:
    """Fill in modals, telling the app of what Slack tells it."""

    def __init__(self, state: State, hands: Hands) -> None:
        self._state = state
        self._hands = hands

    def read(self, user: str) -> Form | None:
        """Read the open modal of a person; None without one."""
        view = self._state.top_view(user)
        return None if view is None else read(view)

    async def when(self, user: str, holds: Callable[[Form], bool], timeout_s: float = 10.0) -> Form:
        """Wait until the open modal is as wanted and return it; TimeoutError after so many seconds."""

        def look() -> bool:
            form = self.read(user)
            return form is not None and holds(form)

        if not await self._state.wait_for(look, timeout_s):
            raise TimeoutError(f"the modal never became so: {self.read(user)}")
        form = self.read(user)
        assert form is not None
        return form

    def _found(self, user: str, action_id: str, block_id: str | None) -> tuple[Json, Json]:
        return inputs.find(self._state.open_view(user).definition["blocks"], action_id, block_id)

    async def enter(self, user: str, action_id: str, value: Any, block_id: str | None = None) -> Json:
        """Type or choose a value in a field; where Slack tells the app of that, wait for its answer.

        A typed text is told only with ``on_character_entered``: press the field for the Enter key.
        """
        block, element = self._found(user, action_id, block_id)
        configured = element.get("dispatch_action_config") or {}
        silent = element["type"] in inputs.TYPED and (
            "on_character_entered" not in configured.get("trigger_actions_on", ())
        )
        if silent or not inputs.is_live(block, element):
            self._hands.fill(user, {block["block_id"]: {action_id: value}})
            return {"ok": True, "dispatched": False}
        return {
            **await self._hands.press(user, None, None, action_id, block_id=block["block_id"], value=value),
            "dispatched": True,
        }

    async def fill(self, user: str, values: dict[str, Any]) -> list[Json]:
        """Fill in several fields in their order: ``{action_id: value}`` or ``{block_id: {…}}``.

        A dict that is an option (with ``text`` and ``value``) is a value.
        """
        answers = []
        for name, entered in values.items():
            if isinstance(entered, dict) and "text" not in entered:
                answers += [await self.enter(user, action, value, name) for action, value in entered.items()]
            else:
                answers.append(await self.enter(user, name, entered))
        return answers

    async def choose(
        self,
        user: str,
        action_id: str,
        query: str = "",
        pick: str | None = None,
        *,
        block_id: str | None = None,
    ) -> Json:
        """Type a query into a select and choose among what is offered: by value or text, or the only one.

        Adds to what a multi-select holds. Raises SlackError no_such_option, with what was ``offered``, or
        the error of the suggestion.
        """
        block, element = self._found(user, action_id, block_id)
        within = block["block_id"]
        suggested = await self._hands.options(user, None, None, action_id, block_id=within, value=query)
        if not suggested["ok"]:
            raise SlackError(suggested.get("error") or "no_options")
        offered = inputs.offered(suggested)
        if element["type"] not in inputs.EXTERNAL:
            offered = [one for one in offered if query.lower() in _text(one["text"]).lower()]
        fits = [one for one in offered if pick is None or pick in (one["value"], _text(one["text"]))]
        if len(fits) != 1:
            raise SlackError("no_such_option", offered=[_text(one["text"]) for one in offered])
        if element["type"] in inputs.MANY_OPTIONS:
            held = inputs.held(self._hands.state_of(user, block, element))
            return await self.enter(user, action_id, [*held, fits[0]], block["block_id"])
        return await self.enter(user, action_id, fits[0], block["block_id"])
