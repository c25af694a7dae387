#!/usr/bin/env bash
# slurmformspawner 2.11.2: options sent through the API take effect one start later
#
# Expected: JupyterHub's POST /users/ada/server accepts user_options with the field
#   names of the form, passes them to the spawner, and keeps them for the next start. So
#   {"runtime": 3, "nprocs": 4} asks Slurm for three hours and four cores, or is
#   refused.
# Seen: SlurmFormSpawner's user_options can be set, but the setter does nothing. The job
#   gets the form's values from when the spawner was created: the form's defaults, or
#   the options of the previous start. The hub stores the new options, so the next start
#   uses them, whatever options it is sent. The API's responses show no difference.
# Why it matters: A bot that requests "3 hours, 4 cores" gets one hour and one core, and
#   a person who asks for a small server the next day gets those four cores. The options
#   that the hub reports aren't those of the job. Ask Slurm what the job has.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  slurmformspawner==2.11.2 batchspawner==1.3.0 jupyterhub==6.1.1 wtforms==3.2.1 cachetools==8.0.2 \
  traitlets==5.16.1 jinja2==3.1.6 sqlalchemy==2.1.9 tornado==6.6.1

# A cluster with one node and eight cores. The form takes its limits from the cluster.
mkdir "$work/bin"
cat >"$work/bin/scontrol" <<'SCONTROL'
#!/bin/sh
case "$*" in
  *node*) echo '{"nodes": [{"cpus": 8, "real_memory": 16000, "gres": "", "partitions": ["main"]}]}' ;;
  *) echo '{"reservations": []}' ;;
esac
SCONTROL
cat >"$work/bin/sacctmgr" <<'SACCTMGR'
#!/bin/sh
echo lab
SACCTMGR
chmod +x "$work/bin/scontrol" "$work/bin/sacctmgr"

cat >"$work/starts.py" <<'PYTHON'
from types import SimpleNamespace

from slurmformspawner.spawner import SlurmFormSpawner

row = SimpleNamespace(name="", user_options=None, state={}, server=None)


def start(options):
    """Return what the job gets of these options, in the hub's order of calls."""
    ada = SimpleNamespace(name="ada", url="/user/ada/", settings={})
    spawner = SlurmFormSpawner(_mock=True, user=ada, orm_spawner=row, user_options=row.user_options or {})
    row.user_options = options
    spawner.user_options = options
    # The job script is created from these values.
    used = spawner.user_options
    return f"{used['runtime']} minutes, {used['nprocs']} cores"


for options in ({"runtime": 3, "nprocs": 4}, {"runtime": 1, "nprocs": 1}, {"runtime": 2, "nprocs": 2}):
    print(f"start with {options}: {start(options)}")
PYTHON
seen="$(PATH="$work/bin:$PATH" "$work/venv/bin/python" -W ignore "$work/starts.py")"

echo "slurmformspawner 2.11.2 with jupyterhub 6.1.1, three starts one after the other"
echo "Expected: 180 minutes and 4 cores, then 60 and 1, then 120 and 2."
echo "Seen:"
echo "$seen"
wanted="start with {'runtime': 3, 'nprocs': 4}: 60 minutes, 1 cores
start with {'runtime': 1, 'nprocs': 1}: 180 minutes, 4 cores
start with {'runtime': 2, 'nprocs': 2}: 60 minutes, 1 cores"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
