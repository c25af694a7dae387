#!/usr/bin/env bash
# jhub-client 0.1.7: a cell that fails looks like a cell without output
#
# Expected: JupyterKernelAPI.send_code runs code and returns its result, and
#   execute_notebook() runs a notebook "on" a hub. If the code raises an exception, the
#   call raises one as well, or returns the traceback. Code that prints twice returns
#   both lines and the value of its last line.
# Seen: Only the messages stream and execute_result are read. 1/0 returns '', as an
#   assignment does, and the following cells are run. The first message ends the call:
#   after a print, the value and all later output are dropped. A plot (display_data)
#   also returns ''.
# Why it matters: A bot that runs a nightly job in this way reports success even if
#   every cell fails. Let the last cell print a certain word, and look for that word. Or
#   read the channels yourself until execute_reply, whose status says error.
set -euo pipefail
work="$(mktemp -d)"
server=""
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jhub-client==0.1.7 aiohttp==3.14.5 yarl==1.25.1 jupyter-server==2.21.1 jupyter-client==8.10.0 \
  ipykernel==7.4.0 tornado==6.6.1 traitlets==5.16.1

port="$("$work/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
export JUPYTER_CONFIG_DIR="$work/config" JUPYTER_DATA_DIR="$work/data" JUPYTER_RUNTIME_DIR="$work/runtime" JUPYTER_NO_CONFIG=1
export IPYTHONDIR="$work/ipython"
"$work/venv/bin/python" -m jupyter_server --allow-root --no-browser --ServerApp.ip=127.0.0.1 --ServerApp.port="$port" \
  --ServerApp.root_dir="$work" --IdentityProvider.token=example-token >"$work/log" 2>&1 &
server=$!

cat >"$work/cells.py" <<'PYTHON'
import asyncio
import sys

import aiohttp
from jhub_client.api import JupyterAPI

CELLS = [
    "1 + 1",
    "x = 1",
    "1 / 0",
    "raise SystemError('disk full')",
    "import time; print('before', flush=True); time.sleep(1); print('after'); 1 + 1",
]


async def wait_for_server(jupyter):
    for attempt in range(240):
        try:
            return await jupyter.list_kernel_specs()
        except aiohttp.ClientError:
            await asyncio.sleep(0.5)
    sys.exit("The server didn't get ready.")


async def main():
    async with JupyterAPI(f"http://127.0.0.1:{sys.argv[1]}", "example-token") as jupyter:
        await wait_for_server(jupyter)
        kernel_id, kernel = await jupyter.ensure_kernel()
        async with kernel:
            for code in CELLS:
                print(f"{code} -> {await kernel.send_code('ada', code)!r}")
        await jupyter.delete_kernel(kernel_id)


asyncio.run(main())
PYTHON
seen="$("$work/venv/bin/python" "$work/cells.py" "$port" 2>"$work/errors")" || { tail -5 "$work/errors" "$work/log"; exit 1; }

echo "jhub-client 0.1.7 with jupyter-server 2.21.1, several calls of send_code()"
echo "Expected: an error for the third and the fourth, and three lines for the fifth."
echo "Seen:"
echo "$seen"
wanted="$(cat <<'TEXT'
1 + 1 -> '2'
x = 1 -> ''
1 / 0 -> ''
raise SystemError('disk full') -> ''
import time; print('before', flush=True); time.sleep(1); print('after'); 1 + 1 -> 'before\n'
TEXT
)"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
