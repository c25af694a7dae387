"""Blocks that Slack added since 2025: cards, tables, charts, tasks and plans."""

from __future__ import annotations

from typing import Any

from playground.slack.kit.checks import Checker, Report, Shape, anything, integer, items, number, typed
from playground.slack.kit.elements import BUTTON, IMAGE, limited, limited_items, limited_text
from playground.slack.kit.published import LIMITS, shape
from playground.slack.kit.rich import RICH

BLOCK_ID: dict[str, Checker] = {"block_id": limited("block_id")}
RICH_TEXT = shape("rich_text", **BLOCK_ID, elements=items(RICH, 1000))
IN_IMAGE = typed({"image": IMAGE})
IN_RICH_TEXT = typed({"rich_text": RICH_TEXT})
#: No limit is published, so the one for a paragraph is used.
UNLIMITED = limited("section.text")


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list. Other checks report anything else in it."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _card_shows_something(value: Any, pointer: str, report: Report) -> None:
    if not any(value.get(name) for name in ("hero_image", "title", "actions", "body")):
        report.say(pointer, "must define one of `hero_image`, `title`, `actions`, `body`")
    if value.get("icon") is not None and value.get("slack_icon") is not None:
        report.say(pointer, "must not define both `icon` and `slack_icon`")


CARD = shape(
    "card",
    _card_shows_something,
    **BLOCK_ID,
    hero_image=IN_IMAGE,
    icon=IN_IMAGE,
    slack_icon=anything,
    title=limited_text("card.title"),
    subtitle=limited_text("card.subtitle"),
    body=limited_text("card.body"),
    subtext=limited_text("card.subtext"),
    actions=limited_items("card.actions", typed({"button": BUTTON})),
)
CAROUSEL = shape("carousel", **BLOCK_ID, elements=limited_items("carousel.elements", typed({"card": CARD})))
ALERT = shape("alert", **BLOCK_ID, text=limited_text("alert.text"))
FILE = shape("file", **BLOCK_ID, external_id=limited("view.external_id"), source=UNLIMITED)

_CELL = typed({
    "raw_text": shape("raw_text", text=UNLIMITED),
    "raw_number": shape("raw_number", value=number, text=UNLIMITED),
    "rich_text": RICH_TEXT,
})  # fmt: skip


def _rows(value: Any) -> list[list[Any]]:
    rows = value.get("rows")
    return [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []


def _rows_are_even(value: Any, pointer: str, report: Report) -> None:
    if len({len(row) for row in _rows(value)}) > 1:
        report.say(f"{pointer}/rows", "all rows must have the same number of cells")


def _data_table_is_whole(value: Any, pointer: str, report: Report) -> None:
    _rows_are_even(value, pointer, report)
    if count_characters(value.get("rows")) > (most := LIMITS["data_table.content.max_length"]):
        report.say(f"{pointer}/rows", f"must be less than {most + 1} characters together")
    header = next(iter(_rows(value)), [])
    if any(cell.get("type") == "rich_text" for cell in objects_in(header)):
        report.say(f"{pointer}/rows/0", "a header can't be rich_text")
    index = value.get("row_header_column_index")
    if isinstance(index, int) and index >= max(len(header), 1):
        report.say(f"{pointer}/row_header_column_index", "must be the index of a column")


def count_characters(value: Any) -> int:
    """Return the number of characters in all cells of a table, counted as by Slack."""
    if isinstance(value, list):
        return sum(map(count_characters, value))
    if not isinstance(value, dict):
        return 0
    return sum(
        len(part) if name == "text" and isinstance(part, str) else count_characters(part)
        for name, part in value.items()
    )


TABLE = shape(
    "table",
    _rows_are_even,
    **BLOCK_ID,
    rows=limited_items("table.rows", limited_items("table.columns", _CELL)),
    column_settings=limited_items("table.column_settings", shape("column_settings"), 0),
)
DATA_TABLE = shape(
    "data_table",
    _data_table_is_whole,
    **BLOCK_ID,
    rows=limited_items("data_table.rows", limited_items("data_table.columns", _CELL)),
    caption=UNLIMITED,
    page_size=integer(LIMITS["data_table.page_size.min"], LIMITS["data_table.page_size.max"]),
    row_header_column_index=integer(
        LIMITS["data_table.row_header_column_index.min"], LIMITS["data_table.columns.max_items"] - 1
    ),
)

_TASK_FIELDS: dict[str, Checker] = {
    **BLOCK_ID,
    "task_id": UNLIMITED,
    "title": UNLIMITED,
    "details": IN_RICH_TEXT,
    "output": IN_RICH_TEXT,
    "sources": items(typed({"url": shape("url", url=UNLIMITED, text=UNLIMITED)}), 50, 0),
}


def _is_not_pending(value: Any, pointer: str, report: Report) -> None:
    if value.get("status") == "pending":
        report.say(f"{pointer}/status", "only a task of a plan can be pending")


def _tasks_differ(value: Any, pointer: str, report: Report) -> None:
    names = [task.get("task_id") for task in objects_in(value.get("tasks"))]
    if any(names.count(name) > 1 for name in names):
        report.say(f"{pointer}/tasks", "each `task_id` must be unique")


TASK_CARD = shape("task_card", _is_not_pending, **_TASK_FIELDS)
PLAN = shape(
    "plan",
    _tasks_differ,
    **BLOCK_ID,
    title=UNLIMITED,
    tasks=limited_items("plan.tasks", typed({"task_card": shape("task_card", **_TASK_FIELDS)}), 0),
)

# ``@slack/types`` 3.2.0 doesn't have charts, so their fields come from slackblocks 3.0.0.
_CHART = "data_visualization"


def _is_positive(value: Any, pointer: str, report: Report) -> None:
    number(value, pointer, report)
    if isinstance(value, int | float) and value <= LIMITS[f"{_CHART}.segment.value.exclusive_min"]:
        report.say(pointer, "must be more than 0")


def _points_match_categories(value: Any, pointer: str, report: Report) -> None:
    config = value.get("axis_config")
    categories = config.get("categories") if isinstance(config, dict) else None
    for index, series in enumerate(objects_in(value.get("series"))):
        labels = [str(point.get("label")) for point in objects_in(series.get("data"))]
        if isinstance(categories, list) and sorted(labels) != sorted(map(str, categories)):
            report.say(f"{pointer}/series/{index}/data", "must have one point for each category")


_SEGMENT = Shape({"label": limited(f"{_CHART}.segment.label"), "value": _is_positive})
_POINT = Shape({"label": limited(f"{_CHART}.point_label"), "value": number})
_AXIS_CHART = Shape(
    {
        "series": limited_items(
            f"{_CHART}.series",
            Shape(
                {"name": limited(f"{_CHART}.series_name"), "data": limited_items(f"{_CHART}.data", _POINT)}
            ),
        ),
        "axis_config": Shape(
            {"categories": limited_items(f"{_CHART}.categories", limited(f"{_CHART}.category_label"))},
            dict.fromkeys(("x_label", "y_label"), limited(f"{_CHART}.axis_label")),
        ),
    },
    {},
    _points_match_categories,
)
_CHARTS = typed({
    "pie": Shape({"segments": limited_items(f"{_CHART}.segments", _SEGMENT)}),
    **dict.fromkeys(("bar", "area", "line"), _AXIS_CHART),
})  # fmt: skip
DATA_VISUALIZATION = Shape({"title": limited(f"{_CHART}.title"), "chart": _CHARTS}, BLOCK_ID)
