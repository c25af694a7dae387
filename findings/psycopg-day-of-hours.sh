#!/usr/bin/env bash
# psycopg 3.3.9: 24 hours last only 23 once a year
#
# Expected: A timedelta is an exact length of time, and timedelta(hours=24) can only
#   mean 86,400 seconds. PostgreSQL's interval stores months, days and microseconds
#   separately, and a time with time zone plus '24 hours' is 24 hours later. So a
#   parameter of 24 hours is sent as hours.
# Seen: Every full 24 hours of a timedelta are sent as a day, both as text and in binary
#   form, and PostgreSQL adds days according to the calendar of the session's time zone.
#   With TimeZone = 'Europe/Berlin', on the day before the clocks go forward, 23 hours
#   are 23 hours, 24 hours are also 23, and 25 hours are 24. With UTC, all results are
#   exact.
# Why it matters: If SQL computes the end of a lease, a link or an idle limit "of 24
#   hours", it ends an hour early on servers whose administrator has set a time zone.
#   Add the timedelta in Python, or send seconds: make_interval(secs => %s).
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  psycopg==3.3.9 psycopg-binary==3.3.9 pgserver==0.1.4

cat >"$work/hours.py" <<'PYTHON'
import sys
from datetime import datetime, timedelta, timezone

import pgserver
import psycopg

NOON_BEFORE = datetime(2027, 3, 27, 12, tzinfo=timezone.utc)


def add(connection, query, *parameters):
    """Return by how much later the result of a query is."""
    return connection.execute(query, (NOON_BEFORE, *parameters)).fetchone()[0] - NOON_BEFORE


def in_hours(length):
    return f"{length / timedelta(hours=1):g}"


with pgserver.get_server(sys.argv[1], cleanup_mode="stop") as server:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for zone in ("UTC", "Europe/Berlin"):
            connection.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
            print(zone)
            for hours in (23, 24, 25):
                length = timedelta(hours=hours)
                text = add(connection, "SELECT %t::timestamptz + %t::interval", length)
                binary = add(connection, "SELECT %b::timestamptz + %b::interval", length)
                seconds = add(connection, "SELECT %s + make_interval(secs => %s)", length.total_seconds())
                sent = connection.execute("SELECT %s::interval::text", (length,)).fetchone()[0]
                print(f"  {hours} hours sent as '{sent}':", *map(in_hours, (text, binary)), "as seconds:", in_hours(seconds))
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/hours.py" "$work/data")"

echo "psycopg 3.3.9 with PostgreSQL 16.2 of pgserver 0.1.4, hours after noon of 27 March 2027"
echo "Expected: 23, 24 and 25 in each zone."
echo "Seen:"
echo "$seen"
wanted="UTC
  23 hours sent as '23:00:00': 23 23 as seconds: 23
  24 hours sent as '1 day': 24 24 as seconds: 24
  25 hours sent as '1 day 01:00:00': 25 25 as seconds: 25
Europe/Berlin
  23 hours sent as '23:00:00': 23 23 as seconds: 23
  24 hours sent as '1 day': 23 23 as seconds: 24
  25 hours sent as '1 day 01:00:00': 24 24 as seconds: 25"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
