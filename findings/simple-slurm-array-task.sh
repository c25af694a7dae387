#!/usr/bin/env bash
# simple_slurm 0.3.6: task 7 of job array 418 is listed as job 4187
#
# Expected: Slurm.squeue.update_squeue() asks squeue for its own default format, whose first column
#   is %i. Slurm's manual gives the form of that column for an array: the number of the job,
#   an underscore and the number of the task (squeue, "Job arrays": 418_7). A table of jobs by number
#   has such a task under 418, as "418_7", or refuses it.
# Seen: each number is read by int(), and Python allows an underscore between digits. Task 7 of array
#   418 has the key 4187, its own row still says 418_7, and a job that really is number 4187 takes
#   its place without a word, or the other way round: the later line stays.
# Why it matters: cancel_job() takes what the table is keyed by. A tool that cancels "all of mine that
#   are called sweep" asks Slurm to cancel job 4187, which is somebody's other job, and the task runs on.
#   Take the number from the row (JOBID), never from the key.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check simple_slurm==0.3.6

# What squeue prints with simple_slurm's format while an array and a single job run; scancel says what it got.
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

echo "simple_slurm 0.3.6: two tasks of array 418, and job 4187; everything called sweep is cancelled"
echo "Expected: three jobs; 418_6 and 418_7 are cancelled."
echo "Seen:"
echo "$seen"
wanted="4187: 418_7 sweep
4186: 418_6 sweep
cancelled: 4187 4186"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
