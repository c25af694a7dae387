#!/usr/bin/env bash
# parsedatetime 2.6: "the day after tomorrow" means tomorrow
#
# Expected: According to its own description, the package parses human-readable dates
#   and times. Its examples include "tomorrow", "next week" and "in 5 minutes".
#   Calendar.parse documents the status 0 for text that isn't understood.
# Seen: "the day after tomorrow" returns tomorrow at 09:00, and "a quarter of an hour"
#   returns a whole hour, both with a status that means understood. The package skips
#   words that it doesn't know, and treats the rest as the whole phrase.
# Why it matters: A status other than 0 doesn't prove that the whole phrase was
#   understood. A workspace whose stop is set in this way stops a day early or 45
#   minutes late. Calendar.nlp returns the part that it used: compare it with the
#   phrase.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check parsedatetime==2.6

cat >"$work/phrases.py" <<'PYTHON'
from datetime import datetime

import parsedatetime

NOW = datetime(2027, 1, 1, 14, 20)
calendar = parsedatetime.Calendar()

for phrase in ("tomorrow", "the day after tomorrow", "an hour", "a quarter of an hour"):
    found, status = calendar.parseDT(phrase, sourceTime=NOW)
    used = " ".join(part[4] for part in calendar.nlp(phrase, sourceTime=NOW) or ())
    print(f"{phrase}: {found:%Y-%m-%d %H:%M}, status {int(status)}, used '{used}'")
PYTHON
seen="$("$work/venv/bin/python" "$work/phrases.py")"

echo "parsedatetime 2.6, asked on 2027-01-01 at 14:20"
echo "Expected: 2027-01-03 and 14:35, or status 0."
echo "Seen:"
echo "$seen"
wanted="tomorrow: 2027-01-02 09:00, status 1, used 'tomorrow'
the day after tomorrow: 2027-01-02 09:00, status 1, used 'after tomorrow'
an hour: 2027-01-01 15:20, status 2, used 'an hour'
a quarter of an hour: 2027-01-01 15:20, status 2, used 'an hour'"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
