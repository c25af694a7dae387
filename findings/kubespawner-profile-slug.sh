#!/usr/bin/env bash
# KubeSpawner 7.1.0: people who choose C++ get C
#
# Expected: In c.KubeSpawner.profile_list, every profile needs a display_name, and a
#   slug is optional: "missing slugs are generated from display_name". Two profiles with
#   different names can be told apart, or are refused when the hub starts.
# Seen: The slug is the name without punctuation, so C and C++ both become c, and Small
#   (GPU) and Small GPU both become small-gpu. The form then has two choices with the
#   same value. For both, the first profile with that slug is started, without a line in
#   the log. The second profile can't be started at all.
# Why it matters: A bot that reads the profiles, and starts one by its slug, starts the
#   wrong image, or the size without a GPU. Give every profile a slug, and refuse lists
#   in which a slug occurs twice.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jupyterhub-kubespawner==7.1.0 kubernetes-asyncio==36.1.0 jupyterhub==6.1.1 escapism==1.1.0 \
  traitlets==5.16.1 jinja2==3.1.6 sqlalchemy==2.1.9 tornado==6.6.1 python-slugify==9.2.0

# KubeSpawner reads a configuration when it is created. No requests are sent to a cluster.
cat >"$work/kubeconfig" <<'YAML'
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: example}}]
contexts: [{name: none, context: {cluster: none, user: nobody}}]
current-context: none
YAML

cat >"$work/profiles.py" <<'PYTHON'
import asyncio
import re

from kubespawner import KubeSpawner
from traitlets.config import Config

NAMES = ["C", "C++", "Small (GPU)", "Small GPU"]


async def main():
    profiles = [
        {"display_name": name, "kubespawner_override": {"image": f"image-of-choice-{number}"}}
        for number, name in enumerate(NAMES, 1)
    ]
    config = Config({"KubeSpawner": {"profile_list": profiles}})
    form = KubeSpawner(config=config, _mock=True).options_form
    values = re.findall(r'<input[^>]*name="profile"[^>]*value="([^"]*)"', form)
    for number, (name, value) in enumerate(zip(NAMES, values, strict=True), 1):
        spawner = KubeSpawner(config=config, _mock=True)
        spawner.user_options = spawner.options_from_form({"profile": [value]})
        await spawner.load_user_options()
        print(f"choice {number}, {name}: the form sends {value}, the pod has {spawner.image}")


asyncio.run(main())
PYTHON
seen="$(KUBECONFIG="$work/kubeconfig" "$work/venv/bin/python" -W ignore "$work/profiles.py")"

echo "jupyterhub-kubespawner 7.1.0, four profiles without slugs"
echo "Expected: each choice starts its own image."
echo "Seen:"
echo "$seen"
wanted="choice 1, C: the form sends c, the pod has image-of-choice-1
choice 2, C++: the form sends c, the pod has image-of-choice-1
choice 3, Small (GPU): the form sends small-gpu, the pod has image-of-choice-3
choice 4, Small GPU: the form sends small-gpu, the pod has image-of-choice-3"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
