#!/usr/bin/env bash
# cron-descriptor 2.2.1 and croniter 7.0.0: six fields mean two different schedules
#
# Expected: Both packages document six fields "with seconds", so cron-descriptor's
#   description of an expression says when croniter runs it. According to croniter's
#   README, the seconds are the sixth field unless second_at_beginning is set.
#   cron-descriptor's README lists "6 (w/ seconds or year)", without saying which field
#   contains the seconds.
# Seen: cron-descriptor takes the first field as the seconds, and neither package
#   refuses anything. A schedule that runs on the first of each month at 09:00:05 is
#   described as 01:09 on Fridays.
# Why it matters: People confirm a schedule after reading its description. Pass
#   second_at_beginning=True, or accept only five fields.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  cron-descriptor==2.2.1 croniter==7.0.0 python-dateutil==4.0.0 typing-extensions==4.16.0

cat >"$work/schedule.py" <<'PYTHON'
from datetime import UTC, datetime

from cron_descriptor import get_description
from croniter import croniter

SCHEDULE = "0 9 1 * * 5"
BEGIN = datetime(2026, 11, 27, tzinfo=UTC)

print("described:", get_description(SCHEDULE))
for first in (False, True):
    runs = croniter(SCHEDULE, BEGIN, second_at_beginning=first)
    shown = [f"{runs.get_next(datetime):%a %d %b %H:%M:%S}" for _ in range(2)]
    print(f"second_at_beginning={first}:", ", ".join(shown))
PYTHON
seen="$("$work/venv/bin/python" "$work/schedule.py")"

echo "0 9 1 * * 5, from 27 November 2026 (UTC)"
echo "Expected: the description and croniter's default times are the same."
echo "Seen:"
echo "$seen"
wanted='described: At 01:09 AM, only on Friday
second_at_beginning=False: Tue 01 Dec 09:00:05, Fri 01 Jan 09:00:05
second_at_beginning=True: Fri 27 Nov 01:09:00, Fri 04 Dec 01:09:00'
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
