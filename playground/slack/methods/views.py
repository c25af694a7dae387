"""views.open, views.push, views.update, views.publish."""

from __future__ import annotations

import secrets

from playground.slack.calls import Call
from playground.slack.errors import SlackError
from playground.slack.inputs import carried_over, filled, state_values
from playground.slack.kit import check_view
from playground.slack.kit.blocks import elements_of, name_all
from playground.slack.kit.entities import kept
from playground.slack.methods.table import method
from playground.slack.records import Json, Trigger, View
from playground.slack.state import State

TRIGGER_SECONDS = 3.0
STACK = 3
VIEW_BYTES = 250_000


def checked(definition: object, kind: str) -> tuple[Json, list[str]]:
    """Check a view; return it as Slack stores it, with all ids, and the remarks. Raises invalid_arguments."""
    report = check_view(definition, kind)
    if report.messages or not isinstance(definition, dict):
        messages = [f"[ERROR] {message}" for message in report.messages]
        raise SlackError("invalid_arguments", response_metadata={"messages": messages})
    if len(str(definition)) > VIEW_BYTES:
        raise SlackError("view_too_large")
    made: Json = kept(definition)
    name_all(made["blocks"])
    return made, report.remarks


def _definition(call: Call, kind: str = "modal") -> Json:
    call.need("view")
    made, remarks = checked(call.structure("view", "invalid_arguments"), kind)
    call.remarks += remarks
    return made


def new_hash(state: State) -> str:
    """Return a hash that identifies one version of a view."""
    return f"{int(state.clock.now())}.{secrets.token_hex(4)}"


def _unique(state: State, definition: Json, itself: str | None = None) -> None:
    external = definition.get("external_id")
    for view in state.views.values():
        if external and view.id != itself and view.definition.get("external_id") == external:
            raise SlackError("duplicate_external_id")


def _trigger(call: Call) -> Trigger:
    call.need("trigger_id")
    trigger = call.state.triggers.get(call.text("trigger_id"))
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if call.state.clock.now() - trigger.made > TRIGGER_SECONDS:
        raise SlackError("expired_trigger_id")
    return trigger


def _current_conversation(view: View) -> None:
    """Preselect the conversation that the person comes from in elements that ask for that."""
    for block in view.definition["blocks"]:
        for element in elements_of(block):
            if not element.get("default_to_current_conversation") or view.channel is None:
                continue
            value: str | list[str] = [view.channel] if element["type"].startswith("multi_") else view.channel
            view.values.setdefault(block["block_id"], {})[element["action_id"]] = filled(element, value)


def show(
    state: State, user: str, definition: Json, previous: View | None = None, channel: str | None = None
) -> View:
    """Show a person a modal, either alone or on top of the one they have open."""
    _unique(state, definition)
    name = state.new_id("V")
    view = View(name, user, definition, new_hash(state), previous.root if previous else name)
    view.previous = previous.id if previous else None
    view.channel = previous.channel if previous else channel
    _current_conversation(view)
    if previous is None:
        state.close_views(user, all_of_them=True)
    state.views[name] = view
    state.stacks.setdefault(user, []).append(name)
    state.changed()
    return view


def replace(state: State, view: View, definition: Json) -> None:
    """Replace the contents of a view. Inputs keep their state if block and action stay the same.

    In a modal, this is true even of untouched inputs, so a new ``initial_…`` has no effect under the same ids
    ("Preserving input entry" of views.update, and people's reports).
    """
    _unique(state, definition, view.id)
    known = view.values
    if definition["type"] == "modal":
        known = state_values(view.definition["blocks"], view.values)
    view.definition, view.hash = definition, new_hash(state)
    view.values = carried_over(known, definition["blocks"])
    view.errors, view.trouble = {}, None
    state.changed()


def _answer(call: Call, view: View) -> Json:
    return {"view": view.to_json(call.state.app, call.state.team)}


@method("views.open")
async def open_view(call: Call) -> Json:
    """Open a modal for the person whose interaction created the trigger."""
    trigger, definition = _trigger(call), _definition(call)
    trigger.used = True
    return _answer(call, show(call.state, trigger.user, definition, channel=trigger.channel))


@method("views.push")
async def push(call: Call) -> Json:
    """Show a modal on top of the one where the interaction took place, up to three in all."""
    trigger, definition = _trigger(call), _definition(call)
    below = call.state.top_view(trigger.user)
    if below is None or trigger.view is None:
        raise SlackError("not_found")
    if len(call.state.stacks[trigger.user]) >= STACK:
        raise SlackError("push_limit_reached")
    trigger.used = True
    return _answer(call, show(call.state, trigger.user, definition, below))


@method("views.update")
async def update(call: Call) -> Json:
    """Update an open view, given its view_id or external_id. An outdated ``hash`` causes a conflict."""
    state, name, external = call.state, call.text("view_id"), call.text("external_id")
    if not name and not external:
        call.need("view_id")
    view = state.views.get(name) if name else None
    if not name:
        view = next((v for v in state.views.values() if v.definition.get("external_id") == external), None)
    if view is None:
        raise SlackError("not_found")
    definition = _definition(call, str(view.definition["type"]))
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    replace(state, view, definition)
    return _answer(call, view)


@method("views.publish")
async def publish(call: Call) -> Json:
    """Set the Home tab of one person."""
    call.need("user_id")
    if not call.state.app.home_tab:
        raise SlackError("not_enabled")
    state, definition = call.state, _definition(call, "home")
    user = state.people.get(call.text("user_id"))
    if user is None:
        raise SlackError("user_not_found")
    known = state.views.get(state.homes.get(user.id, ""))
    if known is not None:
        if call.text("hash") and call.text("hash") != known.hash:
            raise SlackError("hash_conflict")
        replace(state, known, definition)
        return _answer(call, known)
    _unique(state, definition)
    name = state.new_id("V")
    state.views[name] = View(name, user.id, definition, new_hash(state), name)
    state.homes[user.id] = name
    state.changed()
    return _answer(call, state.views[name])
