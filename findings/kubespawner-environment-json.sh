#!/usr/bin/env bash
# KubeSpawner 7.1.0: an environment variable that contains JSON prevents servers from starting
#
# Expected: JupyterHub's Spawner.environment accepts strings and callables as values,
#   and passes them to the server. Its documentation mentions no placeholders. JSON
#   documents are common values of environment variables.
# Seen: KubeSpawner formats the strings with str.format before it creates the pod.
#   {"theme": "dark"} raises KeyError('"theme"') at every start, and ${HOME} raises
#   KeyError('HOME'). A value without braces works. The same text in cmd isn't
#   formatted. Doubled braces arrive as single ones.
# Why it matters: A value that works with another spawner fails on the cluster. A
#   person, or a bot that started the server, sees only the name of a key in that
#   document as the reason.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jupyterhub-kubespawner==7.1.0 kubernetes-asyncio==36.1.0 jupyterhub==6.1.1 escapism==1.1.0 \
  traitlets==5.16.1 jinja2==3.1.6 sqlalchemy==2.1.9 tornado==6.6.1

# KubeSpawner reads a configuration when it is created. No requests are sent to a cluster.
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
echo 'Expected: each value is unchanged.'
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
