#!/usr/bin/env bash
# nbgrader 0.9.6: a due date with +0100 is 100 seconds from UTC, not one hour
#
# Expected: parse_utc() converts to UTC, and to_numeric_tz() converts a time zone "to a
#   format which can be read by parse_utc". The formgrader extension asks for "Timezone as UTC
#   offset", shows the result of to_numeric_tz(), and joins date and offset with a
#   space.
# Seen: If the date itself also contains a space, as in nbgrader's own examples
#   (2015-02-02 17:00:00 UTC), the third part is parsed with int() and taken as seconds.
#   An abbreviation that isn't the name of a time zone, such as PST, is ignored, which
#   means UTC. With a T between date and time, the result is correct.
# Why it matters: A due date of 23:59 +0100 becomes 23:57:20 UTC in the gradebook,
#   nearly an hour late, and with +1300 it is nearly 13 hours late. Write due dates with
#   a T, or in UTC.
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
# Gradebook runs the program alembic, so PATH must contain it.
seen="$(PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore "$work/due.py" "$work/gradebook.db")"

echo "nbgrader 0.9.6, Gradebook.add_assignment"
echo "Expected: 18:29:00 UTC twice, and for PST 07:59 on the next day or an error."
echo "Seen:"
echo "$seen"
wanted="2026-11-29 23:59 +0530: 2026-11-29 23:50:10 UTC
2026-11-29T23:59 +0530: 2026-11-29 18:29:00 UTC
2026-11-29 23:59 PST: 2026-11-29 23:59:00 UTC"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
