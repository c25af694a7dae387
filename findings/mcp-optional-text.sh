#!/usr/bin/env bash
# mcp 2.3.0: an optional text must not look like JSON
#
# Expected: A tool's parameter "note: str | None = None" becomes a string or null in the
#   tool's input schema, and a string that a client sends arrives unchanged. The
#   specification already sends arguments as JSON, so there is nothing left to decode in
#   a string. A parameter "note: str" does work in this way.
# Seen: If the annotation isn't exactly str, the SDK decodes a string that contains JSON
#   a second time. The text null arrives as None. A text that is a JSON object or list
#   is refused with an error that says it "should be a valid string". 12 and true remain
#   texts. fastmcp 4.2.3 passes all of them on unchanged.
# Why it matters: Making a text optional changes which texts are accepted: a note that
#   contains a server's options as JSON is refused, and "null" clears the note. For
#   texts that people write, declare note: str = "".
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  mcp==2.3.0 mcp-types==2.3.0 pydantic==2.14.4 anyio==4.16.0 starlette==1.10.0

cat >"$work/notes.py" <<'PYTHON'
import asyncio

from mcp.server.mcpserver import MCPServer

server = MCPServer("notes")


@server.tool()
def keep(note: str) -> str:
    return repr(note)


@server.tool()
def keep_optional(note: str | None = None) -> str:
    return repr(note)


async def call(tool, note):
    """Return the value that the tool receives, or the reason why it isn't called."""
    try:
        result = await server.call_tool(tool, {"note": note})
    except Exception as error:
        return "refused: " + str(error).splitlines()[2].strip().partition(" [")[0]
    return result.content[0].text


async def main():
    optional = (await server.list_tools())[1].input_schema["properties"]["note"]["anyOf"]
    print("schema of the optional text:", " or ".join(choice["type"] for choice in optional))
    for note in ("hello", "12", "true", "null", '["a", "b"]', '{"gpu": 1}'):
        print(f"{note}: str {await call('keep', note)}, str | None {await call('keep_optional', note)}")


asyncio.run(main())
PYTHON
seen="$("$work/venv/bin/python" "$work/notes.py")"

echo "mcp 2.3.0, MCPServer.call_tool"
echo "Expected: both parameters accept each text unchanged."
echo "Seen:"
echo "$seen"
wanted="$(cat <<'TEXT'
schema of the optional text: string or null
hello: str 'hello', str | None 'hello'
12: str '12', str | None '12'
true: str 'true', str | None 'true'
null: str 'null', str | None None
["a", "b"]: str '["a", "b"]', str | None refused: Input should be a valid string
{"gpu": 1}: str '{"gpu": 1}', str | None refused: Input should be a valid string
TEXT
)"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
