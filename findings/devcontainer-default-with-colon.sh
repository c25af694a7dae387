#!/usr/bin/env bash
# @devcontainers/cli 0.89.0 (npm): a default value in ${localEnv:…} ends at its first colon
#
# Expected: The specification has ${localEnv:VARIABLE_NAME:default_value}, and says
#   nothing about what a default may contain. ${localEnv:HUB_URL:https://hub.example.org}
#   should become https://hub.example.org if HUB_URL isn't set.
# Seen: It becomes "https". The rest is dropped without a message, as the text is split
#   at every colon. An image such as registry.example.org:5000/lab:2027 becomes
#   "registry.example.org", and a path list /opt/a:/opt/b becomes "/opt/a". If the
#   variable is set, its whole value is used, so whoever wrote the file never sees this.
# Why it matters: Codespaces and IDEs read the same file. It works for everybody who has
#   the variable, and in a new codespace the address is "https". Give such a default in
#   the program that reads the variable instead.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" @devcontainers/cli@0.89.0
# The command asks Docker which containers exist, and this one has none.
printf '#!/bin/sh\nexit 0\n' >"$work/docker"
chmod +x "$work/docker"
mkdir -p "$work/project/.devcontainer"
cat >"$work/project/.devcontainer/devcontainer.json" <<'JSON'
{
  "image": "debian:12",
  "remoteEnv": {
    "HUB": "${localEnv:HUB_URL:https://hub.example.org}",
    "IMAGE": "${localEnv:LAB_IMAGE:registry.example.org:5000/lab:2027}",
    "PLAIN": "${localEnv:PLAIN:hub.example.org}"
  }
}
JSON
read_it() {
  "$work/node_modules/.bin/devcontainer" read-configuration --workspace-folder "$work/project" \
    --docker-path "$work/docker" 2>/dev/null |
    node -e 'const all = JSON.parse(require("fs").readFileSync(0)).configuration.remoteEnv;
             for (const name of Object.keys(all)) console.log(name + "=" + all[name]);'
}
seen="without the variables:
$(env -u HUB_URL -u LAB_IMAGE -u PLAIN bash -c "$(declare -f read_it); work='$work'; read_it")
with HUB_URL:
$(HUB_URL=https://hub.example.org:8000 read_it | head -1)"

echo "@devcontainers/cli 0.89.0, devcontainer read-configuration"
echo "Expected: https://hub.example.org and registry.example.org:5000/lab:2027 as defaults."
echo "Seen:"
echo "$seen"
wanted="without the variables:
HUB=https
IMAGE=registry.example.org
PLAIN=hub.example.org
with HUB_URL:
HUB=https://hub.example.org:8000"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
