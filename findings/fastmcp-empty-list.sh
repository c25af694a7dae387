#!/usr/bin/env bash
# fastmcp 4.2.3: a tool that finds nothing returns no content at all
#
# Expected: The specification of the Model Context Protocol (2025-06-18, Tools,
#   Structured Content) says that a tool that returns structured content SHOULD also
#   return the serialized JSON in a text block, for older clients. So an empty list is
#   returned as the text "[]", just as a list with one item is returned as the text
#   ["lab"].
# Seen: A list with items is returned as one text block with the list's JSON. An empty
#   list has structuredContent {"result": []} and no content. mcp 2.3.0 returns one
#   block per item, so two names are two texts, and an empty list has no content either.
# Why it matters: Many clients read only the content, so for "you have no workspaces",
#   they give their model nothing. The model can't tell an empty list from a failed
#   call, and makes up an answer. Return a sentence, or an object that contains the
#   list.
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

echo "fastmcp 4.2.3 compared with mcp 2.3.0"
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
