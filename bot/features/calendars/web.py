"""Lessons as calendars read them (RFC 5545), at the private address that somebody was given in Slack.

Times are instants in UTC, so that no zone's rules have to be told. An answer has all lessons as they are now:
what was skipped isn't there, and what was moved has its new time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from bot.features.calendars import texts as words
from bot.features.calendars import use_cases
from bot.features.courses.model import CourseRule
from bot.features.hours.model import YEAR_SECONDS
from bot.support.cleaning import clean
from bot.support.logs import mark_as_known
from bot.web.feature_pages import PageContext

#: The most octets of a line, without its end.
MAX_LINE_OCTETS: Final = 75
#: What may not stand in a text as it is.
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def list_pages(given: PageContext) -> list[web.RouteDef]:
    """Return the route of all calendars, GET and HEAD alone, where there is a public address."""
    context = given.context
    if context.public_url is None:
        return []

    async def serve(request: web.Request) -> web.Response:
        nonce, now = request.match_info["nonce"], await context.store.now()
        rule = await context.store.engine.read(lambda tx: use_cases.find_rule(tx, context, nonce))
        if rule is None:
            raise web.HTTPNotFound
        mark_as_known()
        text = "".join(map(_fold_line, _write_lines(rule, context.title(rule.connection), now)))
        return web.Response(text=text, content_type="text/calendar")

    return [web.get(f"{use_cases.CALENDAR_PATH}/{{nonce}}.ics", serve)]


def _write_lines(rule: CourseRule, title: str, now: float) -> Iterator[str]:
    """Write the lessons of a year on either side of now."""
    course, note = _text(rule.course), _text(words.LESSON_NOTE.format(title=title))
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Usher//Lessons//EN", "CALSCALE:GREGORIAN")
    yield from (f"X-WR-CALNAME:{course}", f"X-WR-CALDESC:{note}")
    yield from ("REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H")
    for begin in (one for one in rule.between(now - YEAR_SECONDS, now + YEAR_SECONDS) if one.side == "start"):
        yield from ("BEGIN:VEVENT", f"UID:{rule.card}-{begin.local[:10]}@usher", f"DTSTAMP:{_utc(now)}")
        yield from (f"DTSTART:{_utc(begin.at)}", f"DTEND:{_utc(begin.until)}")
        yield from (f"SUMMARY:{course}", f"DESCRIPTION:{note}", "END:VEVENT")
    yield "END:VCALENDAR"


def _utc(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    return clean(text).translate(_ESCAPED)


def _fold_line(line: str) -> str:
    """Return a line with its end, broken if it is too long, and within no letter."""
    found, size = "", 0
    for letter in line:
        size += len(letter.encode())
        if size > MAX_LINE_OCTETS:
            found, size = f"{found}\r\n ", 1 + len(letter.encode())
        found += letter
    return f"{found}\r\n"
