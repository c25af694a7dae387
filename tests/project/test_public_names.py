"""``public_names.toml`` lists the names that Slack, databases, logs and operators hold: a rename keeps them.

The fields and data of forms are in ``tests/golden/views.txt``.

``UPDATE_GOLDEN=1 pytest …`` writes the list again; look at the difference before it is kept.
"""

import ast
import os
import re
import sqlite3
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bot.domain.message_kinds import AnyKind, list_members
from bot.domain.tasks import TaskKind
from bot.features.feature import load
from bot.slack.notifier.lookup import EVENT_TYPE
from bot.support.settings import VARIABLES
from handlers import routes
from tests.project.repository import ROOT
from tests.rigs.prometheus import exported

_COLUMNS = (
    "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c "
    "WHERE t.type = 'table' ORDER BY t.name, c.cid"
)


def read_schema(root: Path) -> dict[str, list[str]]:
    """Return the columns of each table, as the migrations below a folder leave them."""
    schema: defaultdict[str, list[str]] = defaultdict(list)
    with closing(sqlite3.connect(":memory:")) as database:
        for path in sorted((root / "bot").rglob("migrations/*.sql")):
            database.executescript(path.read_text(encoding="utf-8"))
        for table, column in database.execute(_COLUMNS):
            schema[table].append(column)
    return schema


LIST = ROOT / "tests/project/public_names.toml"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
COOKIE_PATTERN = re.compile(r'cookie_name\("([\w-]+)"')


def read_sources() -> Iterator[str]:
    for folder in ("bot", "handlers"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.read_text(encoding="utf-8")


def find_log_events() -> Iterator[str]:
    for source in read_sources():
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log" | "_log" | "logger"), attr=level),
                    args=[ast.Constant(value=str(event)), *_],
                ) if level in LEVELS:
                    yield event


def collect_names() -> dict[str, list[str]]:
    load()
    registries = ("action", "view", "shortcut", "options", "event", "button")
    names = {name: set(getattr(routes, name).get_all()) for name in registries} | {
        "shown": set(routes.outcome_displays.get_all()),
        "columns": {name for columns in read_schema(ROOT).values() for name in columns},
        "cookies": {name for source in read_sources() for name in COOKIE_PATTERN.findall(source)},
        "log_events": set(find_log_events()),
        "messages": {kind.value for kind in list_members(AnyKind)},
        "metadata": {EVENT_TYPE},
        "metrics": {name for name, _, _ in exported()},
        "settings": set(VARIABLES),
        "tasks": {kind.value for kind in TaskKind},
        "verbs": {
            f"{command} {name}"
            for command in routes.list_commands()
            for name in routes.get_verbs(command).get_all()
        },
    }
    return {kind: sorted(found) for kind, found in sorted(names.items())}


def test_renames_keep_public_names():
    names = collect_names()
    if os.environ.get("UPDATE_GOLDEN"):
        rows = ([f"{kind} = [", *(f'    "{name}",' for name in found), "]"] for kind, found in names.items())
        LIST.write_text("\n".join([*(line for row in rows for line in row), ""]), encoding="utf-8")
    assert names == tomllib.loads(LIST.read_text(encoding="utf-8"))


def test_every_sort_of_public_name_is_found():
    assert [kind for kind, found in collect_names().items() if not found] == []
