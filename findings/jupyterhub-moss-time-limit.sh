#!/usr/bin/env bash
# jupyterhub-moss 10.1.0: a partition with a limit of 30 minutes allows 30 hours
#
# Expected: MOSlurmSpawner asks sinfo for each partition's time limit (%l), so that
#   nobody requests more time on its form. Slurm writes 30 minutes as 30:00, an hour as
#   1:00:00 and a day as 1-00:00:00. A time limit may have the form minutes,
#   minutes:seconds, hours:minutes:seconds or days-hours (sbatch, --time).
# Seen: If there is no day, the first number is taken as hours. So 30:00 means 30 hours,
#   while limits of an hour or more are correct. A person's own runtime goes through the
#   same check: 90 is accepted as 90 hours, but Slurm, which receives the text,
#   interprets it as 90 minutes. A warning is logged only for text that can't be parsed
#   at all.
# Why it matters: On the partitions with the shortest limits, which are meant for trying
#   things out, the form, and a bot that reads its limits, offer times that Slurm never
#   grants. The job waits forever, or is refused. Set max_runtime in the configuration.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  jupyterhub-moss==10.1.0 batchspawner==1.3.0 jupyterhub==6.1.1 traitlets==5.16.1 jinja2==3.1.6 \
  pydantic==2.14.4 sqlalchemy==2.1.9 tornado==6.6.1

cat >"$work/limits.py" <<'PYTHON'
from types import SimpleNamespace

from jupyterhub_moss import MOSlurmSpawner
from jupyterhub_moss.utils import parse_timelimit

# The output of sinfo -a --noheader -o '%R %F %c %C %G %m %l'. The last column is the limit.
SINFO = """\
trial 0/4/0/4 32 0/128/0/128 (null) 128000 30:00
short 0/4/0/4 32 0/128/0/128 (null) 128000 1:00:00
long 0/4/0/4 32 0/128/0/128 (null) 128000 1-00:00:00
"""

spawner = MOSlurmSpawner(_mock=True, user=SimpleNamespace(name="ada", url="/user/ada/"))
for name, resources in spawner.slurm_info_resources(SINFO).items():
    print(f"partition {name}: {resources.max_runtime / 60:g} minutes")
for runtime in ("90", "45:00", "0:45:00"):
    print(f"runtime {runtime}: {parse_timelimit(runtime).total_seconds() / 60:g} minutes")
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/limits.py")"

echo "jupyterhub-moss 10.1.0, time limits written by sinfo and by people"
echo "Expected: 30, 60 and 1440 minutes for the partitions, and 90, 45 and 45 for the runtimes."
echo "Seen:"
echo "$seen"
wanted="partition trial: 1800 minutes
partition short: 60 minutes
partition long: 1440 minutes
runtime 90: 5400 minutes
runtime 45:00: 2700 minutes
runtime 0:45:00: 45 minutes"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
