"""The address that Slack's assistant calls: the Model Context Protocol over HTTP, each call by itself.

Only what is needed to list tools and to call them; there are no sessions and no streams. The front has
verified the bytes, and ``handlers.assistant.tools`` does what a call asks for (``docs/slack-app.md``,
ADR 74).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mcp_types as mcp
from aiohttp import web
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION
from pydantic import BaseModel, ValidationError

from bot.messages.texts import assistant as words
from bot.messages.verb import find_verb
from bot.support.release import RELEASE
from handlers.assistant.tools import TOOLS, Tool, is_valid_call, run_tool
from handlers.requests.services import Services


@dataclass(frozen=True, slots=True)
class AssistantCalls:
    """The calls of Slack's assistant, answered by these services."""

    services: Services

    async def answer(self, message: dict[str, Any], signature: str) -> web.Response:
        """Answer a message that has passed the front."""
        return await answer(self.services, message, signature)

    def may_repeat(self, message: Mapping[str, Any]) -> bool:
        """Return whether the same bytes may come twice."""
        return may_repeat(message)


def may_repeat(message: Mapping[str, Any]) -> bool:
    """Return whether the same bytes may come twice: two people may ask for the tools in one second."""
    params = message.get("params")
    tool = _find_tool(params) if isinstance(params, dict) else None
    return message.get("method") != "tools/call" or (tool is not None and tool.only_shows)


async def answer(services: Services, message: dict[str, Any], signature: str) -> web.Response:
    """Answer a message that has passed the front; notifications only get their receipt."""
    if "id" not in message or "method" not in message:
        return web.Response(status=202)
    try:
        call = mcp.JSONRPCRequest.model_validate(message)
    except ValidationError:
        return web.Response(status=400, text="malformed: request")
    result = await _respond(services, call.method, call.params or {}, signature)
    if isinstance(result, mcp.ErrorData):
        return web.json_response(_json(mcp.JSONRPCError(jsonrpc="2.0", id=call.id, error=result)))
    return web.json_response({"jsonrpc": "2.0", "id": call.id, "result": _json(result)})


async def _respond(services: Services, method: str, params: dict[str, Any], signature: str) -> BaseModel:
    match method:
        case "initialize":
            asked = params.get("protocolVersion")
            return mcp.InitializeResult(
                protocol_version=asked if asked in HANDSHAKE_PROTOCOL_VERSIONS else LATEST_HANDSHAKE_VERSION,
                capabilities=mcp.ServerCapabilities(tools=mcp.ToolsCapability()),
                server_info=mcp.Implementation(name="Usher", version=RELEASE),
                instructions=words.INSTRUCTIONS,
            )
        case "ping":
            return mcp.EmptyResult()
        case "tools/list":
            return mcp.ListToolsResult(tools=[_describe_tool(name, tool) for name, tool in TOOLS.items()])
        case "tools/call":
            tool, given, meta = _find_tool(params), params.get("arguments") or {}, params.get("_meta")
            if tool is None or not isinstance(given, dict) or not is_valid_call(tool, given):
                return mcp.ErrorData(code=mcp.INVALID_PARAMS, message="no such tool, or not what it takes")
            slack = meta.get("slack") if isinstance(meta, dict) else None
            who = slack if isinstance(slack, dict) else {}
            said = await run_tool(services, who, tool, given, signature)
            return mcp.CallToolResult(content=[mcp.TextContent(type="text", text=said)])
    return mcp.ErrorData(code=mcp.METHOD_NOT_FOUND, message="no such method")


def _find_tool(params: Mapping[str, Any]) -> Tool | None:
    name = params.get("name")
    return TOOLS.get(name) if isinstance(name, str) else None


def _describe_tool(name: str, tool: Tool) -> mcp.Tool:
    fields = {field: {"type": "string", "description": words.FIELDS[field]} for field in tool.takes}
    schema = {"type": "object", "properties": fields, "required": [*tool.takes[:1]]}
    hints = mcp.ToolAnnotations(read_only_hint=tool.only_shows, destructive_hint=tool.level == "stop")
    return mcp.Tool(
        name=name,
        title=words.TITLES[name],
        description=f"{find_verb(tool.folder, tool.verb).summary.capitalize()}.",
        input_schema=schema | {"additionalProperties": False},
        annotations=hints,
    )


def _json(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(by_alias=True, mode="json", exclude_unset=True)
