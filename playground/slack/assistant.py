"""Slack's assistant, but without a model: a message to ``@slackbot`` spells out the call that it makes."""

from __future__ import annotations

import itertools
import shlex

from playground.slack.dispatch import Dispatcher
from playground.slack.records import Channel, Json, Person
from playground.slack.state import State

#: The word with which a message to the assistant begins.
NAME = "@slackbot"


class Assistant:
    """Calls the tools of the app's MCP server for a person, with signed requests, and shows their answers."""

    def __init__(self, state: State, dispatcher: Dispatcher) -> None:
        self._state = state
        self._dispatcher = dispatcher
        self._numbers = itertools.count(1)

    def hears(self, text: str) -> bool:
        """Return whether a message is for the assistant. It never is if the app declares no MCP server."""
        return self._state.app.assistant_url is not None and text.split(maxsplit=1)[:1] == [NAME]

    async def ask(self, person: Person, place: Channel, text: str) -> Json:
        """Call ``TOOL [NAME] [FIELD=VALUE …]``; without a tool, list them. The answer is ephemeral."""
        try:
            tool, *given = shlex.split(text.removeprefix(NAME)) or [""]
        except ValueError as error:
            said = f"That can't be read: {error}."
        else:
            pairs = [one.partition("=") if "=" in one else ("name", "=", one) for one in given]
            values = {field: value for field, _, value in pairs}
            said = await (self._called(person, tool, values) if tool else self._tools())
        notice = self._state.tell(person.id, place.id, said)
        return {"ok": True, "channel": place.id, "ts": notice.ts, "text": said}

    async def _called(self, person: Person, tool: str, given: dict[str, str]) -> str:
        team = self._state.team
        who = {"user_id": person.id, "team_id": person.team_id, "enterprise_id": team.enterprise_id}
        answer = await self._sent("tools/call", {"name": tool, "arguments": given, "_meta": {"slack": who}})
        texts = [one.get("text", "") for one in answer.get("result", {}).get("content", ())]
        return "\n".join(texts) or _wrong(answer)

    async def _tools(self) -> str:
        answer = await self._sent("tools/list", {})
        tools = answer.get("result", {}).get("tools", ())
        lines = [
            " ".join([one["name"], *(f"{field}=…" for field in one["inputSchema"].get("properties", {}))])
            + f": {one.get('title', '')}"
            for one in tools
        ]
        return "\n".join(lines) or _wrong(answer)

    async def _sent(self, method: str, params: Json) -> Json:
        message = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}
        reply = await self._dispatcher.call(message)
        if not reply.ok:
            return {"error": {"message": f"{reply.error} ({reply.status})"}}
        return reply.content()


def _wrong(answer: Json) -> str:
    return f"The app's tools failed: {answer.get('error', {}).get('message', 'no text came back')}"
