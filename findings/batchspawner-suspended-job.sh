#!/usr/bin/env bash
# batchspawner 1.3.0: a suspended Slurm job counts as ended, and its job id is discarded
#
# Expected: SUSPENDED is one of Slurm's job states (squeue, JOB STATE CODES). Preemption
#   with PreemptMode=SUSPEND and gang scheduling put jobs into this state. The job keeps
#   its node, and runs again later. So SlurmSpawner.poll() keeps returning None, which
#   means that the job still exists, as it does for PENDING.
# Seen: SlurmSpawner knows only PENDING, CONFIGURING, RUNNING and COMPLETING, and two
#   messages of a controller that doesn't respond. For SUSPENDED, poll() returns 1 and
#   clears the job id, so a later stop() has nothing to cancel. When the same job runs
#   again, it isn't found. STOPPED and REQUEUED have the same result.
# Why it matters: The hub reports to a bot that the server has stopped, and the bot
#   tells the owner, but the job still occupies a GPU. The next start is a second job.
#   Add the missing states to SlurmSpawner.state_pending_re.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  batchspawner==1.3.0 jupyterhub==6.1.1 traitlets==5.16.1 jinja2==3.1.6 sqlalchemy==2.1.9 tornado==6.6.1

# squeue -h -o '%T %B' prints a state and a host. This stand-in reads them from a file.
mkdir "$work/bin"
cat >"$work/bin/squeue" <<SQUEUE
#!/bin/sh
cat "$work/job"
SQUEUE
chmod +x "$work/bin/squeue"

cat >"$work/states.py" <<'PYTHON'
import asyncio
import logging
import sys
from types import SimpleNamespace

from batchspawner import SlurmSpawner
from traitlets.config import Config

logging.disable()


async def main():
    ada = SimpleNamespace(name="ada", url="/user/ada/")
    # Run the query without sudo, so that no account named ada is needed.
    config = Config({"SlurmSpawner": {"exec_prefix": ""}})
    for states in (["PENDING"], ["RUNNING"], ["SUSPENDED", "RUNNING"], ["STOPPED"], ["REQUEUED"]):
        spawner = SlurmSpawner(_mock=True, user=ada, config=config)
        spawner.req_homedir, spawner.req_keepvars = "/home/ada", "PATH"
        spawner.load_state({"job_id": "209"})
        for position, state in enumerate(states):
            with open(sys.argv[1], "w") as job:
                job.write(f"{state} node1\n")
            print(f"{'then ' if position else ''}{state}: poll() returns {await spawner.poll()}, job {spawner.job_id or 'forgotten'}")


asyncio.run(main())
PYTHON
seen="$(PATH="$work/bin:$PATH" "$work/venv/bin/python" -W ignore "$work/states.py" "$work/job")"

echo "batchspawner 1.3.0, SlurmSpawner.poll() for job 209"
echo "Expected: None for each state, and RUNNING after SUSPENDED is still job 209."
echo "Seen:"
echo "$seen"
wanted="PENDING: poll() returns None, job 209
RUNNING: poll() returns None, job 209
SUSPENDED: poll() returns 1, job forgotten
then RUNNING: poll() returns 1, job forgotten
STOPPED: poll() returns 1, job forgotten
REQUEUED: poll() returns 1, job forgotten"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
