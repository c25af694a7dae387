#!/usr/bin/env bash
# recurring-ical-events 3.8.2: an event of one hour lasts no time at all
#
# Expected: According to RFC 5545, section 3.3.6, hours, minutes and seconds of a
#   DURATION are exact, and only days and weeks are nominal. According to section 3.3.5,
#   a local time that the clocks skip is read with the offset before the gap. So 02:30
#   on 28 March 2027 in Berlin is 01:30 UTC, and one hour later is 02:30 UTC.
# Seen: The hour is added to the local time on the clock. On that day, the start and the
#   end are the same moment. In autumn, PT6H from 23:00 lasts seven hours.
# Why it matters: The hours of a course or workspace that are read from a calendar are
#   an hour too short or too long on two days a year. Add the duration in UTC.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  recurring-ical-events==3.8.2 icalendar==7.3.2 x-wr-timezone==2.0.1 \
  python-dateutil==2.9.0.post0 tzdata==2026.6

cat >"$work/durations.py" <<'PYTHON'
from datetime import timezone

import recurring_ical_events
from icalendar import Calendar


def lengths(start, duration, count, window):
    """Return the length of each occurrence, measured in UTC."""
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//durations//EN", "BEGIN:VEVENT",
        "UID:1@example.org", "DTSTAMP:20270101T000000Z", f"DTSTART;TZID=Europe/Berlin:{start}",
        f"DURATION:{duration}", f"RRULE:FREQ=DAILY;COUNT={count}", "END:VEVENT", "END:VCALENDAR", "",
    )
    calendar = Calendar.from_ical("\r\n".join(lines))
    found = sorted(recurring_ical_events.of(calendar).between(*window), key=lambda event: event["DTSTART"].dt)
    return ", ".join(
        str(event["DTEND"].dt.astimezone(timezone.utc) - event["DTSTART"].dt.astimezone(timezone.utc)) for event in found
    )


print("PT1H, 27 to 29 March:", lengths("20270327T023000", "PT1H", 3, ((2027, 3, 26), (2027, 3, 31))))
print("PT6H, 30 and 31 October:", lengths("20271030T230000", "PT6H", 2, ((2027, 10, 29), (2027, 11, 3))))
PYTHON
seen="$("$work/venv/bin/python" "$work/durations.py")"

echo "recurring-ical-events 3.8.2 with icalendar 7.3.2"
echo "Expected: each occurrence lasts 1:00:00, and 6:00:00."
echo "Seen:"
echo "$seen"
wanted="PT1H, 27 to 29 March: 1:00:00, 0:00:00, 1:00:00
PT6H, 30 and 31 October: 7:00:00, 6:00:00"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
