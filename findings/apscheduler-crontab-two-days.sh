#!/usr/bin/env bash
# APScheduler 3.11.3: "the 1st and every Friday" in a crontab means Fridays that are the 1st
#
# Expected: CronTrigger.from_crontab accepts "a standard crontab expression", and its
#   documentation refers to Wikipedia. Wikipedia says that if both the day of the month
#   and the day of the week are restricted, a date has to match only one of them. So 0 3
#   1 * fri runs on every 1st and on every Friday. (The docstring's only warning is that
#   APScheduler counts weekdays from a different day.)
# Seen: A date has to match both, so in 2027 the job runs only on 1 January and 1
#   October. No error is raised or logged. croniter 7.0.0 runs it 63 times in that year.
# Why it matters: People give a bot a crontab line, and believe that it makes a backup
#   every week, but the bot makes one only twice a year. Allow only one of the two
#   restrictions, or create two triggers.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  apscheduler==3.11.3 tzlocal==5.4.5 croniter==7.0.0 python-dateutil==2.9.0.post0

cat >"$work/days.py" <<'PYTHON'
from datetime import datetime, timezone

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

START, END = (datetime(year, 1, 1, tzinfo=timezone.utc) for year in (2027, 2028))
LINE = "0 3 1 * fri"


def apscheduler_times():
    trigger, previous, now = CronTrigger.from_crontab(LINE, timezone.utc), None, START
    while (now := trigger.get_next_fire_time(previous, now)) < END:
        previous = now
        yield now


def croniter_times():
    times = croniter(LINE, START)
    while (now := times.get_next(datetime)) < END:
        yield now


for name, times in (("apscheduler", apscheduler_times()), ("croniter", croniter_times())):
    found = list(times)
    first = ", ".join(f"{one:%a %d %b}" for one in found[:3])
    print(f"{name}: {len(found)} times in 2027, first on {first}")
PYTHON
seen="$("$work/venv/bin/python" "$work/days.py")"

echo "apscheduler 3.11.3 and croniter 7.0.0, with 0 3 1 * fri"
echo "Expected: both give the same days."
echo "Seen:"
echo "$seen"
wanted="apscheduler: 2 times in 2027, first on Fri 01 Jan, Fri 01 Oct
croniter: 63 times in 2027, first on Fri 01 Jan, Fri 08 Jan, Fri 15 Jan"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
