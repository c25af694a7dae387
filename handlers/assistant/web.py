"""The endpoint for Slack's assistant, which speaks the Model Context Protocol over HTTP.

A client can list tools and call them. There are no sessions or streams: calls are independent.
``bot.web.front`` has already verified a request's signature, and ``handlers.assistant.tools`` carries out the
calls (``docs/slack-app.md``, ADR 74). If Usher doesn't support a call's protocol revision, it refuses the
call before doing anything, because the client couldn't read the outcome.
"""

from collections.abc import Mapping
from typing import Any

import mcp_types as mcp
from aiohttp import web
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION
from pydantic import BaseModel, ValidationError

from bot.messages.texts import assistant as words
from bot.support.release import RELEASE
from handlers.assistant.tools import TOOLS, Tool, run_tool
from handlers.requests.payload import as_mapping
from handlers.requests.services import Services


async def answer_call(
    services: Services, message: dict[str, Any], signature: str, headers: Mapping[str, str]
) -> web.Response:
    """Answer a message that has been verified. A notification is merely acknowledged."""
    if "id" not in message or "method" not in message:
        return web.Response(status=202)
    try:
        call = mcp.JSONRPCRequest.model_validate(message)
    except ValidationError:
        return web.Response(status=400, text="malformed: request")
    params = call.params or {}
    if (refusal := _refuse_revision(params, headers)) is not None:
        error = mcp.JSONRPCError(jsonrpc="2.0", id=call.id, error=refusal)
        return web.json_response(_json(error), status=400)
    result = await _respond(services, call.method, params, signature)
    if isinstance(result, mcp.ErrorData):
        return web.json_response(_json(mcp.JSONRPCError(jsonrpc="2.0", id=call.id, error=result)))
    return web.json_response({"jsonrpc": "2.0", "id": call.id, "result": _json(result)})


def _refuse_revision(params: Mapping[str, Any], headers: Mapping[str, str]) -> mcp.ErrorData | None:
    meta = as_mapping(params.get("_meta"))
    named = (headers.get("MCP-Protocol-Version"), meta.get(mcp.PROTOCOL_VERSION_META_KEY))
    unknown = [one for one in named if one is not None and one not in HANDSHAKE_PROTOCOL_VERSIONS]
    if not unknown:
        return None
    known = mcp.UnsupportedProtocolVersionErrorData(
        supported=[*HANDSHAKE_PROTOCOL_VERSIONS], requested=str(unknown[0])
    )
    return mcp.ErrorData(
        code=mcp.UNSUPPORTED_PROTOCOL_VERSION, message=words.OTHER_REVISION, data=_json(known)
    )


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
            tool = TOOLS.get(str(params.get("name")))
            if tool is None:
                return mcp.ErrorData(code=mcp.INVALID_PARAMS, message="no such tool")
            who = as_mapping(as_mapping(params.get("_meta")).get("slack"))
            said = await run_tool(services, who, tool, params.get("arguments", {}), signature)
            return mcp.CallToolResult(content=[mcp.TextContent(type="text", text=said)])
    return mcp.ErrorData(code=mcp.METHOD_NOT_FOUND, message="no such method")


def _describe_tool(name: str, tool: Tool) -> mcp.Tool:
    fields = {field: {"type": "string", "description": words.FIELDS[field]} for field in tool.takes}
    schema = {"type": "object", "properties": fields, "required": [*tool.required]}
    hints = mcp.ToolAnnotations(read_only_hint=tool.only_shows, destructive_hint=tool.level == "stop")
    return mcp.Tool(
        name=name,
        title=words.TITLES[name],
        description=words.DESCRIPTIONS[name],
        input_schema=schema | {"additionalProperties": False},
        annotations=hints,
    )


def _json(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(by_alias=True, mode="json", exclude_unset=True)
