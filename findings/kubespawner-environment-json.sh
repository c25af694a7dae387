#!/usr/bin/env bash
# KubeSpawner 7.1.0: an environment variable with JSON keeps servers from starting
#
# Expected: JupyterHub's Spawner.environment takes a string or a callable as a
#   value and gives it to the server, and its documentation names no placeholders
#   for it. A JSON document is a usual value there.
# Seen: KubeSpawner formats the strings with str.format before it makes the pod.
#   {"theme": "dark"} raises KeyError('"theme"') at each start, ${HOME} raises
#   KeyError('HOME'), and a value without braces is fine. The same text in cmd
#   isn't formatted. Doubled braces arrive as single ones.
# Why it matters: a value that works with another spawner fails on the cluster. All
#   that a person, or a bot that started the server, gets to read is the name of
#   a key of that document.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jupyterhub-kubespawner==7.1.0 kubernetes-asyncio==36.1.0 jupyterhub==6.1.1 escapism==1.1.0 \
  traitlets==5.16.1 jinja2==3.1.6 sqlalchemy==2.1.9 tornado==6.6.1

# KubeSpawner reads a configuration when it is made. No cluster is asked.
cat >"$work/kubeconfig" <<'YAML'
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: example}}]
contexts: [{name: none, context: {cluster: none, user: nobody}}]
current-context: none
YAML

cat >"$work/environment.py" <<'PYTHON'
import asyncio
import logging

from kubespawner import KubeSpawner
from traitlets.config import Config

logging.disable()


async def make_container(**settings):
    """Return the container of the pod that KubeSpawner would ask for."""
    config = Config({"KubeSpawner": settings})
    pod = await KubeSpawner(config=config, _mock=True).get_pod_manifest()
    return pod.to_dict()["spec"]["containers"][0]


async def main():
    for value in ("dark", '{"theme": "dark"}', "${HOME}/settings", '{{"theme": "dark"}}'):
        try:
            container = await make_container(environment={"SETTINGS": value})
            print(value, "->", next(item["value"] for item in container["env"] if item["name"] == "SETTINGS"))
        except Exception as error:
            print(value, "->", repr(error))
    print("cmd ->", (await make_container(cmd=["echo", "${HOME}/settings"]))["args"])


asyncio.run(main())
PYTHON
seen="$(KUBECONFIG="$work/kubeconfig" "$work/venv/bin/python" -W ignore "$work/environment.py")"

echo "jupyterhub-kubespawner 7.1.0, Spawner.environment"
echo 'Expected: each value as it was.'
echo "Seen:"
echo "$seen"
wanted='dark -> dark
{"theme": "dark"} -> KeyError('"'"'"theme"'"'"')
${HOME}/settings -> KeyError('"'"'HOME'"'"')
{{"theme": "dark"}} -> {"theme": "dark"}
cmd -> ['"'"'echo'"'"', '"'"'${HOME}/settings'"'"']'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
