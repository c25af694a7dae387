#!/usr/bin/env bash
# pytimeparse 1.1.10: a negative timedelta is parsed as a different time
#
# Expected: According to the README, the standard library's str(timedelta) converts a
#   number of seconds back into text, and parse reads that text. Minus one minute is
#   written as "-1 day, 23:59:00", in which only the days are negative (datetime's
#   documentation, "String representations of timedelta objects are normalized similarly
#   to their internal representation").
# Seen: parse applies the sign to the whole text, and returns nearly minus two days.
#   Every negative time is wrong by twice its time of day, without an error.
# Why it matters: The time left until a workspace ends is negative once the end is
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

echo "str(timedelta) parsed by pytimeparse 1.1.10"
echo "Expected: each number is unchanged."
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
