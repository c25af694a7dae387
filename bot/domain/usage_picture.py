"""The contents of a picture of usage: consecutive days, and rows of spans in which something ran."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.time_parsing import load_zone


class SpanKind(StrEnum):
    """What is known of a span of time: it ran, is planned, or whether it ran isn't known."""

    RAN = "ran"
    PLANNED = "planned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a row, in seconds since 1970; it may reach beyond the days that are drawn."""

    begins_at: float
    ends_at: float
    kind: SpanKind = SpanKind.RAN


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A row of a picture: the name of a workspace or job, from outside, and its spans."""

    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class UsageWeek:
    """All that is drawn: rows, consecutive days, the present, and the reader's zone and theme."""

    rows: tuple[UsageRow, ...]
    days: tuple[date, ...]
    now: float
    zone: ZoneInfo
    theme: str = "light"

    def to_body(self) -> dict[str, Any]:
        """Return this as JSON-ready data, for a message (``NoticeKind.USAGE_PICTURE``)."""
        spans = [
            [row.name, [[one.begins_at, one.ends_at, one.kind] for one in row.spans]] for row in self.rows
        ]
        days = [day.isoformat() for day in self.days]
        return {"rows": spans, "days": days, "now": self.now, "zone": str(self.zone), "theme": self.theme}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "UsageWeek":
        """Return what ``to_body`` wrote."""
        rows = tuple(
            UsageRow(name, tuple(Span(begin, end, SpanKind(kind)) for begin, end, kind in spans))
            for name, spans in body["rows"]
        )
        days = tuple(map(date.fromisoformat, body["days"]))
        return cls(rows, days, body["now"], load_zone(body["zone"]), body["theme"])
