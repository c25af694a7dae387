"""What a person does with elements and modals: press, choose, search for options, submit, close."""

from __future__ import annotations

import contextlib
from typing import Any

from playground.harness import Harness
from playground.slack import inputs, payloads
from playground.slack.complaints import complaints
from playground.slack.dispatch import Dispatcher
from playground.slack.errors import SlackError
from playground.slack.kit import check_options
from playground.slack.kit.entities import kept
from playground.slack.methods import views
from playground.slack.records import Json, Message, View
from playground.slack.replies import Reply
from playground.slack.state import State

TROUBLE = "We had some trouble connecting. Try again?"


class Place:
    """The message or view that contains an element."""

    def __init__(self, blocks: list[Json], context: Json, message: Message | None, view: View | None) -> None:
        self.blocks = blocks
        self.context = context
        self.message = message
        self.view = view


class Hands:
    """Acts on what a person sees, and tells the app whatever Slack would."""

    def __init__(self, state: State, harness: Harness, dispatcher: Dispatcher) -> None:
        self._state = state
        self._harness = harness
        self._dispatcher = dispatcher

    def _place(self, user: str, channel: str | None, ts: str | None) -> Place:
        """Return the place of an element: a message, the Home tab (channel ``home``) or the open modal."""
        state = self._state
        if channel and channel != "home":
            place = state.place(user, channel)
            message = state.message(place.id, ts or "")
            if message is None or message.only_for not in (None, user):
                raise SlackError("message_not_found")
            return Place(message.blocks or [], payloads.on_message(state, place, message), message, None)
        view = state.views.get(state.homes.get(user, "")) if channel == "home" else state.open_view(user)
        if view is None:
            raise SlackError("view_not_found")
        return Place(view.definition["blocks"], payloads.on_view(state, view), None, view)

    def _entered(self, user: str, place: Place) -> Json:
        if place.view is not None:
            return place.view.values
        assert place.message is not None
        return self._state.inputs.setdefault((user, place.message.channel, place.message.ts), {})

    async def press(
        self,
        user: str,
        channel: str | None,
        ts: str | None,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Any = None,
    ) -> Json:
        """Press a button or choose a value. ``channel`` may be ``home`` or, for the open modal, None."""
        self._state.active(user)
        state, place = self._state, self._place(user, channel, ts)
        block, element = inputs.find(place.blocks, action_id, block_id)
        action = inputs.action(block, element, value, state.new_ts())
        entered = self._entered(user, place)
        if inputs.at_start(element) is not None:
            entered.setdefault(block["block_id"], {})[element["action_id"]] = inputs.filled(element, value)
            if place.view is not None:
                place.context = payloads.on_view(state, place.view)
            state.changed()
        if not inputs.is_live(block, element):
            return {"ok": True, "dispatched": False}
        payload = {**payloads.interaction(state, "block_actions", user), **place.context}
        came_from = place.message.channel if place.message else place.view.channel if place.view else None
        payload["trigger_id"] = state.new_trigger(user, place.view.id if place.view else None, came_from)
        if place.message is not None:
            payload["state"] = {"values": inputs.state_values(place.blocks, entered)}
            channel_id = place.message.channel
            payload["response_url"] = state.new_response_url("actions", channel_id, user, place.message)
        else:
            payload["view"]["state"] = {"values": inputs.state_values(place.blocks, entered)}
        reply = await self._dispatcher.send("interactive", {**payload, "actions": [action]})
        if reply.error and place.message is not None:
            state.tell(user, place.message.channel, f"This app failed with the error {reply.error}")
        elif reply.error and place.view is not None:
            place.view.trouble = TROUBLE
            state.changed()
        return self._result(reply)

    @staticmethod
    def _result(reply: Reply) -> Json:
        return {"ok": reply.ok, "status": reply.status, **({"error": reply.error} if reply.error else {})}

    async def shortcut(
        self, user: str, callback_id: str, channel: str | None = None, ts: str | None = None
    ) -> Json:
        """Use one of the app's shortcuts, a global one or that of a message.

        Shortcuts exist only for members of the workspace with the app, and not for ephemeral messages.
        """
        state, person = self._state, self._state.active(user)
        known = state.app.shortcuts.get(callback_id)
        kind = "message" if channel else "global"
        if known is None or known["type"] != kind or not state.app.installed or not state.is_member(person):
            raise SlackError("no_such_shortcut")
        if channel:
            place = state.place(user, channel)
            message = state.message(place.id, ts or "")
            if message is None or message.only_for is not None:
                raise SlackError("message_not_found")
            payload = payloads.message_action(state, user, callback_id, place, message)
        else:
            payload = payloads.shortcut(state, user, callback_id)
        return self._result(await self._dispatcher.send("interactive", payload))

    async def submit(self, user: str, values: dict[str, dict[str, Any]] | None = None) -> Json:
        """Fill in ``{block_id: {action_id: value}}`` in the open modal, keep other values, and submit it."""
        self._state.active(user)
        state, view = self._state, self._state.open_view(user)
        if view.definition.get("submit_disabled"):
            raise SlackError("submit_disabled")
        blocks = view.definition["blocks"]
        self._fill(view, blocks, values or {})
        complete = inputs.state_values(blocks, view.values)
        view.errors, view.trouble = complaints(blocks, complete), None
        state.changed()
        if view.errors:
            return {"ok": False, "error": "invalid_input", "errors": view.errors}
        shown = view.to_json(state.app, state.team)
        shown["state"] = {"values": complete}
        payload = {
            **payloads.interaction(state, "view_submission", user),
            "trigger_id": state.new_trigger(user, view.id, view.channel),
            "view": shown,
            "response_urls": self._response_urls(user, blocks, complete),
        }
        reply = await self._dispatcher.send("interactive", payload)
        try:
            return self._apply(user, view, reply)
        except (SlackError, ValueError, KeyError) as error:
            self._harness.violation("invalid_ack", f"view_submission: {error}")
            return self._in_trouble(view, "invalid_ack")

    def _response_urls(self, user: str, blocks: list[Json], values: Json) -> list[Json]:
        """Create a response_url for each conversation chosen in an element with ``response_url_enabled``."""
        found = []
        for block in blocks:
            element = block.get("element", {})
            if not element.get("response_url_enabled"):
                continue
            channel = inputs.held(values[block["block_id"]][element["action_id"]])
            if channel in self._state.channels:
                named = {"block_id": block["block_id"], "action_id": element["action_id"]}
                url = self._state.new_response_url("app", channel, user)
                found.append({**named, "channel_id": channel, "response_url": url})
        return found

    def state_of(self, user: str, block: Json, element: Json) -> Json:
        """Return the state of an element in the open modal."""
        view = self._state.top_view(user)
        known = {} if view is None else view.values
        found: Json = inputs.state_values([block], known)[block["block_id"]][element["action_id"]]
        return found

    def fill(self, user: str, values: dict[str, dict[str, Any]]) -> None:
        """Fill in fields of the open modal without telling the app."""
        self._state.active(user)
        view = self._state.open_view(user)
        self._fill(view, view.definition["blocks"], values)
        self._state.changed()

    def keep(self, user: str, values: dict[str, dict[str, Any]]) -> None:
        """Store the values in the fields of the open modal, skipping values that a field doesn't accept."""
        view = self._state.top_view(user)
        if view is None:
            return
        for block_id, entered in values.items():
            for action_id, value in entered.items():
                with contextlib.suppress(SlackError):
                    self._fill(view, view.definition["blocks"], {block_id: {action_id: value}})

    def _fill(self, view: View, blocks: list[Json], values: dict[str, dict[str, Any]]) -> None:
        for block_id, entered in values.items():
            for action_id, value in entered.items():
                _, element = inputs.find(blocks, action_id, block_id)
                view.values.setdefault(block_id, {})[action_id] = inputs.filled(element, value)

    def _in_trouble(self, view: View, error: str) -> Json:
        view.trouble = TROUBLE
        self._state.changed()
        return {"ok": False, "error": error}

    def _apply(self, user: str, view: View, reply: Reply) -> Json:
        """Carry out the acknowledgement of a submission."""
        state = self._state
        if not reply.ok:
            return self._in_trouble(view, reply.error or "dispatch_failed")
        values = reply.content()
        action = values.get("response_action")
        answer: Json = {"ok": True, "status": reply.status, "response_action": action}
        if action is None:
            if values:
                raise ValueError("an acknowledgement without response_action must be empty")
            state.close_views(user)
        elif action == "errors":
            known = {b["block_id"] for b in view.definition["blocks"] if b["type"] == "input"}
            errors = values["errors"]
            if not isinstance(errors, dict) or not errors or set(errors) - known:
                raise ValueError("errors must name input blocks of the view")
            view.errors = {str(key): str(text) for key, text in errors.items()}
            state.changed()
            return {**answer, "ok": False, "error": "errors", "errors": view.errors}
        elif action == "update":
            views.replace(state, view, views.checked(values["view"], "modal")[0])
        elif action == "push":
            if len(state.stacks[user]) >= views.STACK:
                raise ValueError("push_limit_reached")
            views.show(state, user, views.checked(values["view"], "modal")[0], view)
        elif action == "clear":
            state.close_views(user, all_of_them=True)
        else:
            raise ValueError(f"unknown response_action {action!r}")
        return answer

    async def close(self, user: str, *, everything: bool = False) -> Json:
        """Close the open modal, or the whole stack. Tell the app if it has asked for that."""
        state, closed = self._state, []
        top = state.top_view(user)
        everything = everything or (top is not None and bool(top.definition.get("clear_on_close")))
        for view in state.close_views(user, all_of_them=everything):
            closed.append(view.id)
            if not view.definition.get("notify_on_close"):
                continue
            payload = {
                **payloads.interaction(state, "view_closed", user),
                "view": view.to_json(state.app, state.team),
                "is_cleared": everything,
            }
            await self._dispatcher.send("interactive", payload)
        return {"ok": True, "closed": closed}

    async def options(
        self,
        user: str,
        channel: str | None,
        ts: str | None,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str = "",
    ) -> Json:
        """Return the options of a select: its own, or those that the app suggests for the text typed."""
        place = self._place(user, channel, ts)
        block, element = inputs.find(place.blocks, action_id, block_id)
        if element["type"] not in inputs.EXTERNAL:
            return {"ok": True, "options": inputs.offered(element)}
        if len(value) < element.get("min_query_length", 3):
            return {"ok": True, "options": []}
        payload = {**payloads.interaction(self._state, "block_suggestion", user), **place.context}
        payload |= {"action_id": action_id, "block_id": block["block_id"], "value": value}
        if place.view is not None:
            # Unlike block_actions, this payload doesn't contain the values of the other inputs (bolt-js
            # 1146).
            payload["view"]["state"] = {"values": {}}
        reply = await self._dispatcher.send("interactive", payload)
        if not reply.ok:
            return {**self._result(reply), "options": []}
        try:
            values = reply.content()
        except ValueError:
            values = {}
        problems = check_options(values).messages
        if problems:
            self._harness.violation("invalid_options", problems[0])
            return {"ok": False, "error": "invalid_options", "options": []}
        return {"ok": True, **kept(values)}
