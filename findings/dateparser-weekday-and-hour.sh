#!/usr/bin/env bash
# dateparser 1.5.0: "on monday at 9" is the first of September
#
# Expected: the documentation promises human dates in almost any form people
#   use, and "on monday at 9pm" is understood as said. So "on monday at 9" is
#   09:00 on Monday, or isn't understood (None). "tomorrow at 9" likewise.
# Seen: without "am", "pm" or minutes the 9 is a month: "on monday at 9" gives
#   1 September, which is no Monday, and "friday at 5" gives 1 May. In "tomorrow
#   at 9" the 9 is dropped, and the time of day is that of the question.
# Why it matters: this is how people say when a workspace should stop. What comes
#   back isn't None, so a bot sets a stop months away, or at the wrong hour,
#   and no error tells. Show the time understood, and ask where no minutes,
#   "am" or "pm" were written.
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
