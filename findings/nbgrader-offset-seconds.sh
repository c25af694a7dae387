#!/usr/bin/env bash
# nbgrader 0.9.6: a due date with +0100 is 100 seconds from UTC, not one hour
#
# Expected: parse_utc() converts to UTC, and to_numeric_tz() converts a zone "to a
#   format which can be read by parse_utc". The form grader asks for "Timezone as UTC
#   offset", shows what to_numeric_tz() returns, and joins date and offset by a blank.
# Seen: where the date has a blank, too, as in nbgrader's own examples (2015-02-02
#   17:00:00 UTC), the third part is read by int() and taken for seconds. An
#   abbreviation that isn't a zone's name, such as PST, is dropped, which means UTC.
#   With a T between date and time, all is right.
# Why it matters: a due date of 23:59 +0100 is 23:57:20 UTC in the gradebook, nearly
#   an hour late, and with +1300 nearly 13 hours late. Write due dates with a T, or
#   with UTC.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check nbgrader==0.9.6

cat >"$work/due.py" <<'PYTHON'
import sys

from nbgrader.api import Gradebook
from nbgrader.utils import to_numeric_tz

WRITTEN = (
    "2026-11-29 23:59 " + to_numeric_tz("Asia/Kolkata"),
    "2026-11-29T23:59 " + to_numeric_tz("Asia/Kolkata"),
    "2026-11-29 23:59 PST",
)
with Gradebook(f"sqlite:///{sys.argv[1]}") as gradebook:
    for number, written in enumerate(WRITTEN):
        assignment = gradebook.add_assignment(f"ps{number}", duedate=written)
        print(f"{written}: {assignment.duedate} UTC")
PYTHON
# It runs alembic by its name.
seen="$(PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore "$work/due.py" "$work/gradebook.db")"

echo "nbgrader 0.9.6, Gradebook.add_assignment"
echo "Expected: 18:29:00 UTC twice, and for PST 07:59 of the next day, or an error."
echo "Seen:"
echo "$seen"
wanted="2026-11-29 23:59 +0530: 2026-11-29 23:50:10 UTC
2026-11-29T23:59 +0530: 2026-11-29 18:29:00 UTC
2026-11-29 23:59 PST: 2026-11-29 23:59:00 UTC"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
