"""A program that calls tools through one client library, and runs in an environment made for that library.

It reads the library's name, an address and the calls as JSON. It writes what a model would read of each
answer: either a string, or the error that the library raised.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable
from typing import Any


async def read(call: Awaitable[Any]) -> str | dict[str, str]:
    """Return the text of a call's result, or the error that was raised."""
    try:
        result = await call
    except Exception as error:  # noqa: BLE001 - each library raises its own
        return {"raised": str(error)}
    content = getattr(result, "content", result)
    first = content[0] if isinstance(content, list) else content
    if isinstance(first, dict):
        first = first["text"]
    return first if isinstance(first, str) else str(first.text)


async def with_mcp(url: str, calls: list[Any]) -> list[Any]:
    """Make the calls with the newest client by the protocol's authors."""
    from mcp import Client

    async with Client(url) as client:
        tools = (await client.list_tools()).tools
        said: list[Any] = [[one.name, one.description] for one in tools]
        for name, given in calls:
            said.append(await read(client.call_tool(name, given)))
    return said


async def with_fastmcp(url: str, calls: list[Any]) -> list[Any]:
    """Make the calls with fastmcp."""
    from fastmcp import Client

    async with Client(url) as client:
        said: list[Any] = [[one.name, one.description] for one in await client.list_tools()]
        for name, given in calls:
            said.append(await read(client.call_tool(name, given)))
    return said


async def with_langchain(url: str, calls: list[Any]) -> list[Any]:
    """Make the calls with langchain's adapter, which opens a session for each call."""
    from langchain_mcp_adapters.client import MultiServerMCPClient

    client = MultiServerMCPClient({"usher": {"url": url, "transport": "streamable_http"}})
    tools = {one.name: one for one in await client.get_tools()}
    said: list[Any] = [[one.name, one.description] for one in tools.values()]
    for name, given in calls:
        said.append(await read(tools[name].ainvoke(given)))
    return said


async def with_openai_agents(url: str, calls: list[Any]) -> list[Any]:
    """Make the calls with openai-agents, using strict schemas, in which every field of a tool is required."""
    from agents.mcp import MCPServerStreamableHttp, MCPUtil
    from agents.tool_context import ToolContext

    # The library's own timeout of 5 seconds is too short on a busy machine.
    async with MCPServerStreamableHttp(params={"url": url}, client_session_timeout_seconds=60) as server:
        listed = await server.list_tools()
        tools = {
            one.name: MCPUtil.to_function_tool(one, server, convert_schemas_to_strict=True) for one in listed
        }
        said: list[Any] = [[one.name, one.description] for one in tools.values()]
        for name, given in calls:
            fields = tools[name].params_json_schema["required"]
            text = json.dumps({field: given.get(field, "") for field in fields})
            context: Any = ToolContext(context=None, tool_name=name, tool_call_id="call", tool_arguments=text)
            said.append(await read(tools[name].on_invoke_tool(context, text)))
    return said


CLIENTS = {
    "mcp": with_mcp,
    "fastmcp": with_fastmcp,
    "langchain-mcp-adapters": with_langchain,
    "openai-agents": with_openai_agents,
}


def main() -> None:
    """Make the calls, and write the list of tools and each call's outcome."""
    asked = json.load(sys.stdin)
    said = asyncio.run(CLIENTS[asked["client"]](asked["url"], asked["calls"]))
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
