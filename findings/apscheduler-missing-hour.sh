#!/usr/bin/env bash
# APScheduler 3.11.3: a cron job in the hour that is skipped when clocks go forward
#
# Expected: The user guide of the 3.x series ("Daylight saving time behavior" in the
#   chapter on the cron trigger) uses hour=3, minute=30 in Europe/Helsinki as its
#   example. It says that this job isn't executed at all on the last Sunday of March.
# Seen: The job is executed on that Sunday, one hour late by the clock (at 01:30 UTC,
#   which is 04:30 summer time). The day's run is left out only if the clocks skip
#   midnight, as in America/Santiago. A job for both 02:30 and 03:30 in Europe/Berlin is
#   due twice at the same moment.
# Why it matters: A program that starts or stops workspaces by local time can rely
#   neither on "skipped" nor on "late". It needs its own key (rule, local date, local
#   time), so that it doesn't act twice at the same moment.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  apscheduler==3.11.3 tzlocal==5.4.5 tzdata==2026.6

cat >"$work/fire_times.py" <<'PYTHON'
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger


def fire_times(zone, start, count, **fields):
    """Return the next fire times in UTC, as a scheduler asks for them."""
    trigger = CronTrigger(timezone=ZoneInfo(zone), **fields)
    previous, now, found = None, start.replace(tzinfo=ZoneInfo(zone)), []
    for _ in range(count):
        previous = now = trigger.get_next_fire_time(previous, now)
        found.append(f"{previous.astimezone(timezone.utc):%d %b %H:%M}")
    return ", ".join(found)


print("Helsinki:", fire_times("Europe/Helsinki", datetime(2027, 3, 27, 12), 2, hour=3, minute=30))
print("Santiago:", fire_times("America/Santiago", datetime(2027, 9, 4, 12), 2, hour=0, minute=30))
print("Berlin:", fire_times("Europe/Berlin", datetime(2027, 3, 28), 2, hour="2,3", minute=30))
PYTHON
seen="$("$work/venv/bin/python" "$work/fire_times.py")"

echo "apscheduler 3.11.3, fire times in UTC"
echo "Expected according to the guide: no run in Helsinki on 28 March 2027."
echo "Seen:"
echo "$seen"
wanted="Helsinki: 28 Mar 01:30, 29 Mar 00:30
Santiago: 06 Sep 03:30, 07 Sep 03:30
Berlin: 28 Mar 01:30, 28 Mar 01:30"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
