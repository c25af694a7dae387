#!/usr/bin/env bash
# python-dotenv 1.2.4: an invalid line is reported as the empty line before it
#
# Expected: "python-dotenv could not parse statement starting at line N" gives the
#   number of the line that couldn't be parsed, so that people who read the log can find
#   it.
# Seen: N is the line after the last statement or comment. If there are two empty lines
#   in between, an invalid line 4 is reported as line 2, which is empty. Without empty
#   lines, the number is correct. A comment in between counts as a statement.
# Why it matters: The line is skipped, and the program continues without the setting.
#   Settings files have empty lines between their sections, so the number doesn't lead
#   to the mistake. Count the line breaks at the beginning of the statement's original
#   text, and refuse the file.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-dotenv==1.2.4

printf 'A=1\n\n\nB: 2\n' >"$work/blank.env"
printf 'A=1\n# one\n# two\nB: 2\n' >"$work/comment.env"
cat >"$work/read.py" <<'PYTHON'
import logging
import sys

from dotenv import dotenv_values

logging.basicConfig(format="%(message)s", stream=sys.stdout)
for path in sys.argv[1:]:
    print(sorted(dotenv_values(path)))
PYTHON
seen="$("$work/venv/bin/python" "$work/read.py" "$work/blank.env" "$work/comment.env")"

echo "python-dotenv 1.2.4, a wrong line 4 after two empty lines and after two comments"
echo "Expected: line 4 both times."
echo "Seen:"
echo "$seen"
wanted="python-dotenv could not parse statement starting at line 2
['A']
python-dotenv could not parse statement starting at line 4
['A']"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
