#!/usr/bin/env bash
# pytimeparse 1.1.10: a negative timedelta is read back as another time
#
# Expected: the README: a number of seconds is converted back into a text by the
#   standard library's str(timedelta), and parse reads that text. A minute below
#   zero is written "-1 day, 23:59:00": only the days are negative (datetime's
#   documentation, "String representations of timedelta objects are normalized
#   similarly to their internal representation").
# Seen: parse takes the sign for all of it, and returns two days below zero. Every
#   negative time is off by twice its time of day, without an error.
# Why it matters: what is left until a workspace ends is negative once it is
#   overdue. Store seconds or ISO 8601 rather than str(timedelta).
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pytimeparse==1.1.10

cat >"$work/left.py" <<'PYTHON'
from datetime import timedelta

from pytimeparse import parse

for seconds in (5400, 138016, -60, -5400):
    text = str(timedelta(seconds=seconds))
    print(f"{seconds} is written {text!r} and read as {parse(text)}")
PYTHON
seen="$("$work/venv/bin/python" "$work/left.py")"

echo "str(timedelta) read by pytimeparse 1.1.10"
echo "Expected: each number is read as it was."
echo "Seen:"
echo "$seen"
wanted="5400 is written '1:30:00' and read as 5400
138016 is written '1 day, 14:20:16' and read as 138016
-60 is written '-1 day, 23:59:00' and read as -172740
-5400 is written '-1 day, 22:30:00' and read as -167400"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
