#!/usr/bin/env bash
# fastmcp 4.2.3: a tool that finds nothing answers with no content at all
#
# Expected: the specification of the Model Context Protocol (2025-06-18, Tools,
#   Structured Content): a tool that returns structured content SHOULD also
#   return the serialized JSON in a text block, for older clients. So an empty
#   list is the text "[]", as a list of one is the text ["lab"].
# Seen: a list with items is one text block with its JSON. An empty list has
#   structuredContent {"result": []} and an empty content. mcp 2.3.0, beside it,
#   makes one block of each item, so that two names are two texts, and none is
#   again no content.
# Why it matters: a client that reads content only, as many do, hands its model
#   nothing for "you have no workspaces": it can't tell an empty list from a
#   failed call, and fills the gap. Return a sentence, or an object around it.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  fastmcp==4.2.3 mcp==2.3.0 mcp-types==2.3.0 pydantic==2.14.4 anyio==4.16.0

cat >"$work/lists.py" <<'PYTHON'
import asyncio

import fastmcp
import mcp
from mcp.server.mcpserver import MCPServer


def list_none() -> list[str]:
    return []


def list_one() -> list[str]:
    return ["lab"]


def list_two() -> list[str]:
    return ["lab", "gpu"]


async def show(label, server, client_type):
    for tool in (list_none, list_one, list_two):
        server.tool()(tool)
    async with client_type(server) as client:
        for tool in (list_none, list_one, list_two):
            result = await client.call_tool(tool.__name__, {})
            texts = [block.text for block in result.content]
            print(f"{label} {tool.__name__}: content {texts}, structured {result.structured_content}")


asyncio.run(show("fastmcp", fastmcp.FastMCP("workspaces"), fastmcp.Client))
asyncio.run(show("mcp", MCPServer("workspaces"), mcp.Client))
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/lists.py")"

echo "fastmcp 4.2.3 beside mcp 2.3.0"
echo "Expected: the text [] for an empty list."
echo "Seen:"
echo "$seen"
wanted="fastmcp list_none: content [], structured {'result': []}
fastmcp list_one: content ['[\"lab\"]'], structured {'result': ['lab']}
fastmcp list_two: content ['[\"lab\",\"gpu\"]'], structured {'result': ['lab', 'gpu']}
mcp list_none: content [], structured {'result': []}
mcp list_one: content ['lab'], structured {'result': ['lab']}
mcp list_two: content ['lab', 'gpu'], structured {'result': ['lab', 'gpu']}"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
