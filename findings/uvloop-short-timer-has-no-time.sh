#!/usr/bin/env bash
# uvloop 0.22.1: a timer of less than half a millisecond isn't a timer, and has no when()
#
# Expected: asyncio's documentation of loop.call_later says that "an instance of
#   asyncio.TimerHandle is returned", whose when() returns the scheduled time. uvloop is
#   "a drop-in replacement". So a program that shares one timer can compare timer.when()
#   with a new deadline, whatever the delay was.
# Seen: A delay is rounded to milliseconds, and if the result is 0, call_soon is called
#   instead. The Handle that it returns has no when(), so the program gets an
#   AttributeError, but only if the delay happened to be short. A delay of 0.4 ms
#   doesn't wait at all, and a delay of 0.6 ms waits for 1 ms. The same applies to
#   call_at.
# Why it matters: Programs request such short delays only now and then, when work is
#   nearly due. So if a program is moved to uvloop, its tests pass, but its timer fails
#   under load. Store the deadline yourself.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.22.1

cat >"$work/timers.py" <<'PYTHON'
import asyncio

import uvloop

DELAYS = (0.0, 0.0004, 0.0006, 1.0)


async def look():
    loop, found = asyncio.get_running_loop(), []
    for delay in DELAYS:
        timer = loop.call_later(delay, print)
        found.append("a time" if hasattr(timer, "when") else "no time")
        timer.cancel()
    return found


for name, run in (("asyncio", asyncio.run), ("uvloop", uvloop.run)):
    print(f"{name}: {', '.join(run(look()))}")
PYTHON
seen="$("$work/venv/bin/python" "$work/timers.py")"

echo "uvloop 0.22.1, call_later with 0, 0.4, 0.6 and 1000 ms"
echo "Expected: 'a time' four times from both."
echo "Seen:"
echo "$seen"
wanted="asyncio: a time, a time, a time, a time
uvloop: no time, no time, a time, a time"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
