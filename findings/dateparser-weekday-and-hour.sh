#!/usr/bin/env bash
# dateparser 1.5.0: "on monday at 9" means 1 September
#
# Expected: The documentation promises to parse dates in almost any form that people
#   use, and "on monday at 9pm" is understood correctly. So "on monday at 9" means 09:00
#   on Monday, or isn't understood (None). The same applies to "tomorrow at 9".
# Seen: Without "am", "pm" or minutes, the 9 is taken as a month: "on monday at 9"
#   returns 1 September, which isn't a Monday, and "friday at 5" returns 1 May. In
#   "tomorrow at 9", the 9 is ignored, and the result has the current time of day.
# Why it matters: People say in this way when a workspace should stop. The result isn't
#   None, so a bot plans the stop months away or at the wrong hour, without any error.
#   Show the time that was understood, and ask again if the text has no minutes, "am" or
#   "pm".
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  dateparser==1.5.0 python-dateutil==2.9.0.post0 pytz==2026.6 tzlocal==5.4.5 regex==2026.11.19

cat >"$work/phrases.py" <<'PYTHON'
from datetime import datetime

import dateparser

SETTINGS = {"RELATIVE_BASE": datetime(2027, 1, 1, 14, 20), "PREFER_DATES_FROM": "future"}

for phrase in ("on monday at 9pm", "on monday at 9", "friday at 5", "tomorrow at 9"):
    found = dateparser.parse(phrase, languages=["en"], settings=SETTINGS)
    print(f"{phrase}: {found:%A %Y-%m-%d %H:%M}")
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/phrases.py")"

echo "dateparser 1.5.0, asked on Friday 2027-01-01 at 14:20"
echo "Expected: the weekday and the hour that were written, or None."
echo "Seen:"
echo "$seen"
wanted="on monday at 9pm: Monday 2027-01-04 21:00
on monday at 9: Wednesday 2027-09-01 00:00
friday at 5: Saturday 2027-05-01 00:00
tomorrow at 9: Saturday 2027-01-02 14:20"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
