#!/usr/bin/env bash
# sqlite-utils 4.2.1: post codes lose their leading zeros, and phone numbers their plus signs
#
# Expected: Since 4.0, insert --csv detects the types of columns, so that "columns
#   containing only integers" become INTEGER. Nobody writes an integer as 02134, and the
#   contents of a file are expected to come back unchanged.
# Seen: Everything that Python's int() accepts counts as an integer. So a column of post
#   codes, student numbers or phone numbers becomes INTEGER, and its values are stored
#   as 2134 and 49301234. 1_000 also counts as an integer, but remains text in its
#   INTEGER column, so sum() over that column is wrong. No message says that anything
#   was changed.
# Why it matters: A list of members whose ids begin with 0 no longer matches the same
#   ids elsewhere. Use --no-detect-types, and convert the columns that are really
#   numbers.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check sqlite-utils==4.2.1
utils="$work/venv/bin/sqlite-utils"

printf '%s\n' "zip,phone,part" "02134,+49301234,1_000" "00501,+1555,2_000" >"$work/people.csv"
"$utils" insert "$work/a.db" people "$work/people.csv" --csv >/dev/null
"$utils" insert "$work/b.db" people "$work/people.csv" --csv --no-detect-types >/dev/null
ask="select zip, phone, part, typeof(part) as kind, sum(part) over () as total from people limit 1"
seen="$(for name in a b; do "$utils" "$work/$name.db" "$ask" --csv --no-headers; done | tr -d '\r')"

echo "sqlite-utils 4.2.1, insert --csv, with detected types and without"
echo "Expected: 02134 and +49301234 both times."
echo "Seen:"
echo "$seen"
wanted="2134,49301234,1_000,text,3.0
02134,+49301234,1_000,text,3.0"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
