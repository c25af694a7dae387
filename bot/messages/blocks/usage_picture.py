"""Draws a week's usage as SVG, with a row of bars for each workspace or job, and describes it in words.

The time scale is linear, so a day on which the clocks change is slightly wider or narrower than the others.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from html import escape
from typing import Final

from bot.domain.message_context import Facts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.usage import Span, SpanKind, UsageRow
from bot.messages.blocks import kit
from bot.messages.blocks.kit import ELLIPSIS, MAX_NAME_LENGTH, Markup
from bot.messages.blocks.renderers import renders
from bot.messages.blocks.usage import format_hours
from bot.messages.texts import times
from bot.support.cleaning import clean
from bot.support.pictures import FONT_FAMILY

#: Text sent instead of the picture if the picture couldn't be drawn or sent.
IN_WORDS: Final = "I couldn't send this as a picture, so here it is in words. {week}"

TITLE: Final = "{first} – {last}"
NOTHING: Final = "Nothing ran."

ALT_TITLE: Final = "{first} – {last}, times of {zone}."
ALT_MORE: Final = "And {count} more, {hours} together."

MAX_ALT_TEXT_LENGTH: Final = 1_000
#: Maximum number of rows drawn, about as many as fit on a phone. Further rows are only counted.
MAX_ROWS: Final = 30

_WIDTH: Final = 640
_MARGIN: Final = 16
_FIRST_ROW: Final = 74
_ROW_HEIGHT: Final = 54
_BAR_TOP: Final = 26
_BAR_HEIGHT: Final = 18
#: Minimum width of a bar, so that even a one-minute run is visible.
_MIN_BAR_WIDTH: Final = 3.0
_MIN_PLAN_WIDTH: Final = 6.0
_MAX_NAME_WIDTH: Final = 420
_NAME_SIZE: Final = 18
_NIGHT_BEGINS: Final = time(20)
_NIGHT_ENDS: Final = time(6)
_HOUR: Final = 3600
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, with its alternative text for people who can't see it."""

    svg: str
    alt_text: str


#: Colours. The picture has its own background, because Slack doesn't say whether the reader uses dark mode.
PAPER: Final = "#ffffff"
INK: Final = "#1d1c1d"
MUTED: Final = "#5c5b5d"
NIGHT: Final = "#eceef4"
RAN: Final = "#1264a3"
UNKNOWN: Final = "#8a5a00"
NOW: Final = "#c4003d"
_GRID: Final = "#b8bac0"


def draw_week(rows: Sequence[UsageRow], *, days: Sequence[date], now: float, zone: tzinfo) -> Picture:
    """Draw a grid with a column for each day and a row for each name.

    The days are in the reader's time zone.
    """
    week = _Week(days, now, zone)
    return Picture(_Drawing(rows, week).draw(), _describe(rows, week))


@renders(NoticeKind.USAGE_PICTURE)
def render_comment(_: Facts) -> Answer:
    """Return the text shown above the picture."""
    return kit.message("Here it is as a picture.")


def render_in_words(alt_text: str) -> Answer:
    """Return a message that says in words what a picture shows, in case it can't be drawn or sent."""
    return kit.message(kit.fill(IN_WORDS, week=Markup(kit.safe(alt_text))))


class _Week:
    def __init__(self, days: Sequence[date], now: float, zone: tzinfo) -> None:
        self.days, self.now, self.zone = days, now, zone
        self.begins = [self.find_moment(day, time()) for day in (*days, days[-1] + timedelta(1))]
        self.begins_at, self.ends_at = self.begins[0], self.begins[-1]
        self.has_now = self.begins_at <= now < self.ends_at

    def find_moment(self, day: date, at: time) -> float:
        return datetime.combine(day, at, self.zone).timestamp()

    def cut(self, span: Span) -> Span | None:
        begins_at, ends_at = max(span.begins_at, self.begins_at), min(span.ends_at, self.ends_at)
        is_inside = span.begins_at < self.ends_at and span.ends_at > self.begins_at
        return Span(begins_at, ends_at, span.kind) if is_inside and begins_at <= ends_at else None

    def cut_all(self, row: UsageRow) -> list[Span]:
        return [cut for span in sorted(row.spans, key=lambda one: one.begins_at) if (cut := self.cut(span))]

    def sum_seconds(self, rows: Iterable[UsageRow]) -> float:
        cut = (span for row in rows for span in self.cut_all(row) if span.kind is SpanKind.RAN)
        return sum(span.ends_at - span.begins_at for span in cut)

    def list_unusual_days(self) -> Iterator[str]:
        for day, begins_at, ends_at in zip(self.days, self.begins, self.begins[1:], strict=False):
            if ends_at - begins_at != _DAY:
                hours = f"{(ends_at - begins_at) / _HOUR:g}"
                yield f"{self.format_date(day)} has {hours} hours."

    def format_date(self, day: date) -> str:
        return times.format_weekday(day.isoformat(), datetime.fromtimestamp(self.now, self.zone).date())

    def format_time(self, at: float, *, has_day: bool = True) -> str:
        local = datetime.fromtimestamp(at, self.zone)
        return f"{local:%a %H:%M}" if has_day else f"{local:%H:%M}"

    def format_hours(self, rows: Iterable[UsageRow]) -> str:
        return format_hours(self.sum_seconds(rows) / _HOUR)


class _Drawing:
    def __init__(self, rows: Sequence[UsageRow], week: _Week) -> None:
        self._week = week
        self._rows, self._rest = rows[:MAX_ROWS], rows[MAX_ROWS:]
        self._bottom = _FIRST_ROW + max(len(self._rows), 1) * _ROW_HEIGHT
        self._parts: list[str] = []

    def draw(self) -> str:
        self._add_days()
        for number, row in enumerate(self._rows):
            self._add_row(row, _FIRST_ROW + number * _ROW_HEIGHT)
        if not self._rows:
            self._add_text(NOTHING, _MARGIN, _FIRST_ROW + 18, _NAME_SIZE)
        self._add_now()
        height = self._add_foot()
        # The pattern of stripes that marks an unknown end.
        hatch = (
            f'<pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><path d="M0 0V7" stroke="{UNKNOWN}" stroke-width="5"/>'
            f"</pattern>"
        )
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            f'viewBox="0 0 {_WIDTH} {height}" font-family="{FONT_FAMILY}">'
        )
        paper = f'<rect width="{_WIDTH}" height="{height}" fill="{PAPER}"/>'
        return "\n".join([head, f"<defs>{hatch}</defs>", paper, *self._parts, "</svg>\n"])

    def _find_x(self, at: float) -> float:
        week = self._week
        share = (at - week.begins_at) / (week.ends_at - week.begins_at)
        return round(_MARGIN + share * (_WIDTH - 2 * _MARGIN), 1)

    def _add_text(self, text: str, x: float, y: float, size: int, **more: str) -> None:
        values = {"fill": INK, **more}
        attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in values.items())
        said = escape(" ".join(clean(text).split()), quote=False)
        self._parts.append(f'<text x="{x:g}" y="{y:g}" font-size="{size}"{attributes}>{said}</text>')

    def _add_box(self, x: float, y: float, width: float, height: float, style: str) -> None:
        box = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self._parts.append(f"<rect {box} {style}/>")

    def _add_line(self, x: float, top: float, bottom: float, style: str) -> None:
        self._parts.append(f'<path d="M{x:g} {top:g}V{bottom:g}" {style}/>')

    def _add_days(self) -> None:
        week = self._week
        title = TITLE.format(first=week.format_date(week.days[0]), last=week.format_date(week.days[-1]))
        self._add_text(title, _MARGIN, 28, 19)
        self._add_text(str(week.zone), _WIDTH - _MARGIN, 28, 15, fill=MUTED, text_anchor="end")
        for day in (week.days[0] - timedelta(1), *week.days):
            begins_at = max(week.find_moment(day, _NIGHT_BEGINS), week.begins_at)
            ends_at = min(week.find_moment(day + timedelta(1), _NIGHT_ENDS), week.ends_at)
            x = self._find_x(begins_at)
            width = round(self._find_x(ends_at) - x, 1)
            self._add_box(x, _FIRST_ROW - 8, width, self._bottom - _FIRST_ROW + 8, f'fill="{NIGHT}"')
        today = datetime.fromtimestamp(week.now, week.zone).date()
        for day, begins_at, ends_at in zip(week.days, week.begins, week.begins[1:], strict=False):
            middle = (self._find_x(begins_at) + self._find_x(ends_at)) / 2
            colour = NOW if day == today else MUTED
            self._add_text(f"{day:%a %-d}", middle, 58, 16, fill=colour, text_anchor="middle")
        for begins_at in week.begins:
            self._add_line(self._find_x(begins_at), 42, self._bottom, f'stroke="{_GRID}"')

    def _add_row(self, row: UsageRow, top: float) -> None:
        hours, spans = self._week.format_hours([row]), self._week.cut_all(row)
        if any(span.kind is SpanKind.UNKNOWN for span in spans):
            hours = f"{hours} + ?"
        halo = {"stroke": PAPER, "stroke_width": "3", "paint_order": "stroke"}
        self._add_text(_cut_name(row.name), _MARGIN + 4, top + 18, _NAME_SIZE, **halo)
        end = _WIDTH - _MARGIN - 4
        self._add_text(hours, end, top + 18, _NAME_SIZE, text_anchor="end", **halo)
        # Draw spans of kind RAN last, so that plans and uncertain spans don't hide them.
        for span in sorted(spans, key=lambda one: one.kind is SpanKind.RAN):
            self._add_bar(span, top + _BAR_TOP)

    def _add_bar(self, span: Span, top: float) -> None:
        is_ran = span.kind is SpanKind.RAN
        x, end = self._find_x(span.begins_at), self._find_x(span.ends_at)
        width = max(end - x, _MIN_BAR_WIDTH if is_ran else _MIN_PLAN_WIDTH)
        self._add_shape(span.kind, min(x, _WIDTH - _MARGIN - width), top, width)

    def _add_shape(self, kind: SpanKind, x: float, top: float, width: float) -> None:
        if kind is SpanKind.RAN:
            self._add_box(x, top, round(width, 1), _BAR_HEIGHT, f'fill="{RAN}"')
            return
        is_planned = kind is SpanKind.PLANNED
        fill, colour = (PAPER, RAN) if is_planned else ("url(#hatch)", UNKNOWN)
        # Half of the stroke lies outside the box's outline, so draw the box smaller by that much.
        style = f'fill="{fill}" stroke="{colour}" stroke-width="2"'
        self._add_box(x + 1, top + 1, round(width - 2, 1), _BAR_HEIGHT - 2, style)

    def _add_now(self) -> None:
        week = self._week
        if not week.has_now:
            return
        x = self._find_x(week.now)
        # Draw the line across the bars, but not across the names and hours above them.
        for top in range(_FIRST_ROW, self._bottom, _ROW_HEIGHT):
            begin, end = top + _BAR_TOP - 2, top + _ROW_HEIGHT + 2
            self._add_line(x, begin, end, f'stroke="{NOW}" stroke-width="2.5"')
        label = f"now, {week.format_time(week.now)}"
        anchor = "end" if x > _WIDTH / 2 else "start"
        self._add_text(label, x, self._bottom + 22, 15, fill=NOW, text_anchor=anchor)

    def _add_foot(self) -> int:
        week = self._week
        y = self._bottom + (48 if week.has_now else 28)
        kinds = {span.kind for row in self._rows for span in week.cut_all(row)}
        x = float(_MARGIN)
        for kind, label in (
            (SpanKind.RAN, "ran"),
            (SpanKind.PLANNED, "planned"),
            (SpanKind.UNKNOWN, "end not known"),
        ):
            if kind in kinds:
                self._add_shape(kind, x, y - 14, 28)
                self._add_text(label, x + 34, y, 15, fill=MUTED)
                x += 34 + estimate_width(label, 15) + 18
        self._add_box(x, y - 14, 28, _BAR_HEIGHT, f'fill="{NIGHT}" stroke="{_GRID}"')
        self._add_text("night, 20:00–06:00", x + 34, y, 15, fill=MUTED)
        lines = list(week.list_unusual_days())
        if self._rest:
            hours = week.format_hours(self._rest)
            lines.insert(0, f"and {len(self._rest)} more, {hours} together")
        for line in lines:
            y += 24
            self._add_text(line, _MARGIN, y, 15, fill=MUTED)
        return y + 18


def estimate_width(text: str, size: int) -> float:
    """Estimate the width of a string in pixels. Nearly every string is at most as wide as its estimate."""
    return size * sum(map(_estimate_letter, text))


def _estimate_letter(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in "iljtfr.,'|!:;()[]I /-":
        return 0.41
    return 1.0 if letter in "mwMW@%" else 0.79 if letter.isupper() else 0.64


def _clean_name(name: str) -> str:
    return " ".join(clean(name).split())[:MAX_NAME_LENGTH]


def _cut_name(name: str) -> str:
    shown = _clean_name(name)
    if estimate_width(shown, _NAME_SIZE) <= _MAX_NAME_WIDTH:
        return shown
    while estimate_width(shown + ELLIPSIS, _NAME_SIZE) > _MAX_NAME_WIDTH:
        shown = shown[:-1]
    return shown.rstrip() + ELLIPSIS


def _describe(rows: Sequence[UsageRow], week: _Week) -> str:
    first, last = week.format_date(week.days[0]), week.format_date(week.days[-1])
    head = [ALT_TITLE.format(first=first, last=last, zone=week.zone), *week.list_unusual_days()]
    shown = [_describe_row(row, week) for row in rows[:MAX_ROWS]] or [NOTHING]
    rest = _describe_rest(rows[MAX_ROWS:], week)
    while _measure(head, shown, rest) > MAX_ALT_TEXT_LENGTH:
        shown.pop()
        rest = _describe_rest(rows[len(shown) :], week)
    for number, row in enumerate(rows[: len(shown)]):
        longer = [*shown[:number], _describe_row(row, week, in_full=True), *shown[number + 1 :]]
        if _measure(head, longer, rest) <= MAX_ALT_TEXT_LENGTH:
            shown = longer
    return " ".join([*head, *shown, *rest])


def _measure(*sentences: Sequence[str]) -> int:
    return len(" ".join(one for some in sentences for one in some))


def _describe_rest(rows: Sequence[UsageRow], week: _Week) -> list[str]:
    return [ALT_MORE.format(count=len(rows), hours=week.format_hours(rows))] if rows else []


def _describe_row(row: UsageRow, week: _Week, *, in_full: bool = False) -> str:
    spans = [_describe_span(span, week) for span in sorted(row.spans, key=lambda one: one.begins_at)]
    said = ", ".join(filter(None, spans))
    template = "{name}: {hours} ({spans})." if in_full and said else "{name}: {hours}."
    return template.format(name=_clean_name(row.name), hours=week.format_hours([row]), spans=said)


def _describe_span(span: Span, week: _Week) -> str:
    """Say when a span began and ended: ``Tue 22:00–Wed 04:00``, ``planned Mon 09:00–17:00``."""
    cut = week.cut(span)
    if cut is None:
        return ""
    begin, end = week.format_time(cut.begins_at), week.format_time(cut.ends_at)
    if span.begins_at < week.begins_at:
        begin = "before {day}".format(day=f"{week.days[0]:%a}")
    elif begin[:3] == end[:3] and cut.ends_at - cut.begins_at < _DAY:
        end = week.format_time(cut.ends_at, has_day=False)
    if span.ends_at > week.ends_at:
        end = "after {day}".format(day=f"{week.days[-1]:%a}")
    elif span.kind is SpanKind.RAN and span.ends_at == week.now:
        end = "now"
    if span.kind is SpanKind.UNKNOWN:
        return f"not known from {begin} on"
    said = f"{begin}–{end}"
    return f"planned {said}" if span.kind is SpanKind.PLANNED else said
