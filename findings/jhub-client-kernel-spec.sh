#!/usr/bin/env bash
# jhub-client 0.1.7: checks the requested kernel, but starts a different one
#
# Expected: JupyterAPI.ensure_kernel(kernel_spec) starts a kernel with that
#   specification. It first looks up the name in the server's list, and raises
#   ValueError if the name isn't there. The command line has --kernel-spec for the same
#   purpose.
# Seen: The name is sent as "kernel_spec". Jupyter Server's POST /api/kernels reads
#   "name", and uses its default kernel if there is no name, so a request for the second
#   kernel gets status 201 and the first kernel. No error is raised or logged.
#   create_kernel() on its own does the same with any name.
# Why it matters: Code is run in the wrong language, or in an environment with the wrong
#   packages. Compare the name in the response with the requested name.
set -euo pipefail
work="$(mktemp -d)"
server=""
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jhub-client==0.1.7 aiohttp==3.14.5 yarl==1.25.1 jupyter-server==2.21.1 jupyter-client==8.10.0 tornado==6.6.1 traitlets==5.16.1

# Two kernels, which only have to start. No code is run in them.
for name in first second; do
  mkdir -p "$work/data/kernels/$name"
  cat >"$work/data/kernels/$name/kernel.json" <<JSON
{"display_name": "$name", "language": "none", "argv": ["sleep", "600"]}
JSON
done
port="$("$work/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
export JUPYTER_CONFIG_DIR="$work/config" JUPYTER_DATA_DIR="$work/data" JUPYTER_RUNTIME_DIR="$work/runtime" JUPYTER_NO_CONFIG=1
"$work/venv/bin/python" -m jupyter_server --allow-root --no-browser --ServerApp.ip=127.0.0.1 --ServerApp.port="$port" \
  --ServerApp.root_dir="$work" --IdentityProvider.token=example-token --MultiKernelManager.default_kernel_name=first \
  --KernelSpecManager.ensure_native_kernel=False >"$work/log" 2>&1 &
server=$!

cat >"$work/kernels.py" <<'PYTHON'
import asyncio
import sys

import aiohttp
from jhub_client.api import JupyterAPI


async def list_when_ready(jupyter):
    for attempt in range(240):
        try:
            return sorted((await jupyter.list_kernel_specs())["kernelspecs"])
        except aiohttp.ClientError:
            await asyncio.sleep(0.5)
    sys.exit("The server didn't get ready.")


async def main():
    async with JupyterAPI(f"http://127.0.0.1:{sys.argv[1]}", "example-token") as jupyter:
        print("kernels to choose from:", await list_when_ready(jupyter))
        kernel_id, _ = await jupyter.ensure_kernel("second")
        print("asked for second, started:", (await jupyter.get_kernel(kernel_id))["name"])
        await jupyter.delete_kernel(kernel_id)
        try:
            await jupyter.ensure_kernel("third")
        except ValueError:
            print("asked for third: ValueError")


asyncio.run(main())
PYTHON
seen="$("$work/venv/bin/python" "$work/kernels.py" "$port" 2>"$work/errors")" || { tail -5 "$work/errors" "$work/log"; exit 1; }

echo "jhub-client 0.1.7 with jupyter-server 2.21.1"
echo "Expected: the kernel called second is started."
echo "Seen:"
echo "$seen"
wanted="kernels to choose from: ['first', 'second']
asked for second, started: first
asked for third: ValueError"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
