"""A modal as a form: read its fields, fill them in as a person would, and choose suggested options."""

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
    """A field of a form. ``value`` is its current value: a string, an id, an option's value, or a list."""

    block_id: str
    action_id: str
    type: str
    label: str
    hint: str
    value: Any
    #: Maps the values of the field's own options to their texts. It is empty if the app suggests the options.
    options: dict[str, str]
    optional: bool
    #: Whether the app is told about each choice.
    live: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """The modal that a person has open."""

    view_id: str
    hash: str
    callback_id: str
    private_metadata: str
    title: str
    submit: str | None
    #: Text of the blocks between the fields.
    words: tuple[str, ...]
    fields: tuple[Field, ...]
    #: Action ids of the buttons and overflow menus in the modal.
    buttons: tuple[str, ...]
    errors: dict[str, str]
    trouble: str | None

    def field(self, action_id: str, block_id: str | None = None) -> Field:
        """Return a field by its action_id (and block_id); raise KeyError if there is none."""
        for field in self.fields:
            if field.action_id == action_id and block_id in (None, field.block_id):
                return field
        raise KeyError(action_id)

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of the fields, by action_id."""
        return {field.action_id: field.value for field in self.fields}

    def to_json(self) -> Json:
        """Return the form in the format of the page's API."""
        return asdict(self)


def _plain(value: Any) -> Any:
    """Replace options by their values."""
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
    """Return a view as a form."""
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
    """Fills in modals, and tells the app whatever Slack would."""

    def __init__(self, state: State, hands: Hands) -> None:
        self._state = state
        self._hands = hands

    def read(self, user: str) -> Form | None:
        """Return the modal that a person has open, or None."""
        view = self._state.top_view(user)
        return None if view is None else read(view)

    async def when(self, user: str, holds: Callable[[Form], bool], timeout_s: float = 10.0) -> Form:
        """Return the open modal once ``holds`` accepts it; raise TimeoutError if that takes too long."""

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
        """Enter a value in a field. If Slack tells the app about that, wait for the app's answer.

        Typed text is sent only with ``on_character_entered``. For the Enter key, use ``press`` on the field.
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
        """Fill in several fields in order: ``{action_id: value}`` or ``{block_id: {…}}``.

        A dict with ``text`` and ``value`` is an option, so it counts as a value.
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
        """Type a query into a select, then choose an option by its value or text, or the only option.

        In a multi-select, add it to the earlier choices. Raises SlackError no_such_option, with the options
        in ``offered``, or the error of the app's suggestion.
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
