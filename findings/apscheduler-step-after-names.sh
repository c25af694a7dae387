#!/usr/bin/env bash
# APScheduler 3.11.3: a step after a range of names is silently ignored
#
# Expected: The user guide of the 3.x series (table of expression types of the cron
#   trigger) allows a-b/c in any field, and names of months and weekdays instead of
#   numbers. So jan-dec/3 means the same as 1-12/3, and mon-fri/2 the same as 0-4/2. An
#   expression that APScheduler doesn't understand raises ValueError.
# Seen: With numbers, the step has an effect. With names, the pattern matches only the
#   beginning of the text, so jan-dec/3 means every month, and mon-fri/2 every weekday.
#   No error is raised. croniter 7.0.0 reads both as written.
# Why it matters: A bot that lets people write their own schedules, and checks them with
#   CronTrigger.from_crontab, runs a quarterly report every month. Check str(trigger),
#   or refuse a slash after a letter.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  apscheduler==3.11.3 tzlocal==5.4.5 croniter==7.0.0 python-dateutil==2.9.0.post0

cat >"$work/steps.py" <<'PYTHON'
from datetime import datetime, timezone

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

START = datetime(2027, 1, 1, tzinfo=timezone.utc)


def apscheduler_days(expression):
    trigger = CronTrigger.from_crontab(expression, timezone.utc)
    previous, now, found = None, START, []
    for _ in range(4):
        previous = now = trigger.get_next_fire_time(previous, now)
        found.append(f"{previous:%a %d %b}")
    return ", ".join(found)


def croniter_days(expression):
    times = croniter(expression, START)
    return ", ".join(f"{times.get_next(datetime):%a %d %b}" for _ in range(4))


print("1-12/3     ", apscheduler_days("0 9 1 1-12/3 *"))
print("jan-dec/3  ", apscheduler_days("0 9 1 jan-dec/3 *"))
print("  croniter ", croniter_days("0 9 1 jan-dec/3 *"))
print("mon-fri/2  ", apscheduler_days("0 9 * * mon-fri/2"))
print("  croniter ", croniter_days("0 9 * * mon-fri/2"))
PYTHON
seen="$("$work/venv/bin/python" "$work/steps.py")"

echo "apscheduler 3.11.3 compared with croniter 7.0.0"
echo "Expected: names and numbers mean the same."
echo "Seen:"
echo "$seen"
wanted="1-12/3      Fri 01 Jan, Thu 01 Apr, Thu 01 Jul, Fri 01 Oct
jan-dec/3   Fri 01 Jan, Mon 01 Feb, Mon 01 Mar, Thu 01 Apr
  croniter  Fri 01 Jan, Thu 01 Apr, Thu 01 Jul, Fri 01 Oct
mon-fri/2   Fri 01 Jan, Mon 04 Jan, Tue 05 Jan, Wed 06 Jan
  croniter  Fri 01 Jan, Mon 04 Jan, Wed 06 Jan, Fri 08 Jan"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
