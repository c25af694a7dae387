#!/usr/bin/env bash
# simple_slurm 0.3.6: task 7 of job array 418 is listed as job 4187
#
# Expected: Slurm.squeue.update_squeue() requests squeue's default format, whose first column is %i.
#   According to Slurm's manual, this column contains the job id, an underscore and the task id for
#   an array (squeue, "Job arrays": 418_7). A table of jobs by id lists such a task under 418 or
#   "418_7", or refuses it.
# Seen: Each id is parsed with int(), and Python allows an underscore between digits. Task 7 of
#   array 418 gets the key 4187, while its row still says 418_7. If there really is a job 4187,
#   whichever line comes later silently replaces the other.
# Why it matters: cancel_job() takes the keys of that table. A tool that cancels "all my jobs called
#   sweep" asks Slurm to cancel job 4187, which belongs to somebody else, and the task keeps
#   running. Take the id from the row (JOBID), never from the key.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check simple_slurm==0.3.6

# A stand-in for squeue prints an array and a single job in simple_slurm's format. A stand-in for scancel records its
# arguments.
mkdir "$work/bin"
cat >"$work/bin/squeue" <<'SQUEUE'
#!/bin/sh
cat <<'LINES'
"JOBID","NAME","ST","TIME","TIME_LIMIT","NODES","CPUS","MIN_MEMORY","COMMAND","NODELIST(REASON)"
"4187","thesis","R","2-03:11:40","5-00:00:00","1","8","16G","thesis.sh","node03"
"418_6","sweep","R","10:02","1:00:00","1","1","2G","sweep.sh","node01"
"418_7","sweep","R","10:02","1:00:00","1","1","2G","sweep.sh","node02"
LINES
SQUEUE
cat >"$work/bin/scancel" <<SCANCEL
#!/bin/sh
echo "\$@" >>"$work/cancelled"
SCANCEL
chmod +x "$work/bin/squeue" "$work/bin/scancel"

cat >"$work/sweep.py" <<'PYTHON'
from simple_slurm import Slurm

slurm = Slurm()
slurm.squeue.update_squeue()
for number, job in slurm.squeue.jobs.items():
    print(f"{number}: {job['JOBID']} {job['NAME']}")
for number in slurm.squeue.get_filtered_jobs("sweep"):
    slurm.scancel.cancel_job(number)
PYTHON
seen="$(PATH="$work/bin:$PATH" "$work/venv/bin/python" "$work/sweep.py")
cancelled: $(paste -sd' ' "$work/cancelled")"

echo "simple_slurm 0.3.6: there are two tasks of array 418, and job 4187. Everything called sweep is cancelled."
echo "Expected: three jobs are listed, and 418_6 and 418_7 are cancelled."
echo "Seen:"
echo "$seen"
wanted="4187: 418_7 sweep
4186: 418_6 sweep
cancelled: 4187 4186"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
