"""A feature can be taken out: without its modules and its lines of the composition the mission goes on.

In the copy ``story_without.py`` is played, with rows of the feature: a link, a start with its message, a
stop, a restart, and what ``doctor`` counts. Each commit draws one feature; the others are thorough.
"""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from bot.store.outages import TWICE
from tests.project.repository import ROOT, files, share_bytecode
from tests.project.rings import (
    COMPOSITION,
    FOLDERS,
    KNOWS,
    LISTED,
    MODULES,
    feature_of,
    imported,
    is_one_of,
    modules,
)
from tests.rigs.thorough import draw_one

STORY = "tests/project/story_without.py"
APP, STORE, COMMANDS = "bot/app.py", "bot/store/__init__.py", "bot/__main__.py"
FEATURES = "bot/features/__init__.py"
SETTINGS = "bot/support/settings/__init__.py"


@dataclass(frozen=True)
class Removal:
    """Say what the composition has of a feature besides imports, by file, and the rows that it leaves.

    ``overdue`` is what of these nobody does, as ``doctor`` counts it; a queue goes with its feature.
    """

    said: Mapping[str, Sequence[str]]
    rows: Sequence[str] = ()
    overdue: str = ""


def row(table, **values):
    """Return what writes a row; a value that begins with a colon is given by the story."""
    given = ", ".join(f"'{value}'" if not str(value).startswith(":") else value for value in values.values())
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({given})"


def task(kind):
    times = {"created_at": ":now", "due_at": ":now"}
    return row("tasks", id=f"left {kind}", kind=kind, subject=":account", payload="{}", **times)


def between(file, begins, ends):
    """Return a part of a file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return text[text.index(begins) : text.index(ends)]


#: Every feature that nothing else knows.
REMOVALS = {
    "links that end": Removal(
        {},
        [
            task("renew"),
            "UPDATE accounts SET ends_at = :now + 90000, remind_at = :now WHERE id = :account",
            "UPDATE workspaces SET ends_at = :now + 4600 WHERE id = :workspace",
        ],
        "reminder 1, renew 1",
    ),
    "schedules of jobs": Removal({}, [task("schedule")], "schedule 1"),
    "waiting for room": Removal(
        {},
        [
            row(
                "waits",
                id="left",
                principal=":principal",
                connection="saturn",
                workspace_id=":workspace",
                kind="gpu",
                seq=1,
                state="waiting",
                joined_at=":now",
                next_at=":now",
                until=":now + 90000",
            )
        ],
    ),
    "private calendars": Removal(
        {},
        [
            row(
                "rules",
                id="left",
                principal=":principal",
                connection="saturn",
                workspace_id=":workspace",
                days='["mon"]',
                starts=480,
                stops=570,
                zone="UTC",
                seen_zone="UTC",
                settled_at=":now",
                card="left",
                course="Statistics",
                calendar="digest",
            )
        ],
    ),
    "Home": Removal(
        {
            "bot/store/store.py": (
                between("bot/store/store.py", "    claim_wanted_homes = ", "    home_rest = "),
                "    home_rest = write(homes.home_rest)\n",
            ),
        },
        [row("homes", principal=":principal", used_at=":now", wanted_at=":now", look_at=":now")],
    ),
    "undo": Removal(
        {},
        [
            row(
                "acts",
                id="left",
                principal=":principal",
                action="workspace.alias",
                done_at=":now",
                subject=":workspace",
                connection="saturn",
                name="notebook",
                became="{}",
                was="{}",
                **dict.fromkeys(("asker", "errand", "channel_id", "thread_ts", "interaction"), ""),
            )
        ],
    ),
    "the assistant": Removal(
        {
            APP: ("            assistant=settings.assistant,\n",),
            SETTINGS: (" AssistantSettings,",),
        },
        [
            row(
                "preferences",
                principal=":principal",
                **dict.fromkeys(("ready", "stopped", "run_ended"), 1),
                **dict.fromkeys(("workspace_id", "connection", "template"), ""),
                assistant="stop",
            )
        ],
    ),
    "Socket Mode": Removal(
        {
            APP: (between(APP, "        if settings.slack_app_token", "        app = build_app("),),
            SETTINGS: (" SocketSettings,",),
        },
        [row("outages", connection=TWICE, since=":now")],
    ),
    "PostgreSQL": Removal(
        {
            APP: ("            self.scheduler.every(RENEWED_EVERY, Failovers(self.context).step)\n",),
            STORE: (
                between(STORE, "    if is_postgres(url):\n        from", '    return "memory"'),
                between(STORE, "is_postgres(url):\n        # Its driver", "url.startswith("),
            ),
            COMMANDS: (between(COMMANDS, "    copying = ", "    saving = "),),
        },
        [row("owners", name="worker:left", owner="left", until=":now")],
    ),
    "first settings": Removal({COMMANDS: (between(COMMANDS, '    add("up"', '    add("migrate"'),)}),
    "trying a connection": Removal({COMMANDS: (between(COMMANDS, "    trying = ", '    add("docs"'),)}),
}


def without(text, gone):
    """Return a source without its imports of some files."""
    lines = text.splitlines(keepends=True)
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in sorted(imports, key=lambda node: -node.lineno):
        package = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        found = {one: modules().get(package + one.name) or modules().get(package[:-1]) for one in node.names}
        stays = [one for one in node.names if found[one] not in gone]
        if len(stays) < len(node.names):
            node.names = stays
            left = [" " * node.col_offset + ast.unparse(node) + "\n"] if stays else []
            lines[node.lineno - 1 : node.end_lineno] = left
    return "".join(lines)


def taken_out(feature, folder):
    """Copy the tree without a feature; return the modules that are gone."""
    gone = [file for file in modules().values() if is_one_of(file, MODULES[feature])]
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if name not in gone and not name.startswith("docs/pictures/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
    for file in modules().values():
        if is_one_of(file, COMPOSITION) and file not in gone:
            text = (ROOT / file).read_text(encoding="utf-8")
            lines = [f'    "{folder}",\n' for folder, name in FOLDERS.items() if name == feature]
            for said in [*REMOVALS[feature].said.get(file, ()), *(lines if file == FEATURES else ())]:
                assert text.count(said) == 1, said
                text = text.replace(said, "")
            text = without(text, gone)
            assert not {*imported(text)} & {*gone}, file
            (folder / file).write_text(text, encoding="utf-8")
    share_bytecode(folder)
    return gone


def test_every_feature_that_nothing_knows_is_taken_out():
    known = {other for others in KNOWS.values() for other in others}
    known |= {feature_of(line.rpartition(" ")[2]) for line in LISTED}
    assert sorted({*MODULES} - known) == sorted(REMOVALS)


@pytest.mark.parametrize("feature", draw_one([*REMOVALS]))
def test_without_it_people_link_start_and_stop(feature, tmp_path):
    removal = REMOVALS[feature]
    taken_out(feature, tmp_path)
    story = tmp_path / "tests/scenarios/test_without.py"
    shutil.copyfile(ROOT / STORY, story)
    overdue = f"due for over an hour, and nobody does it: {removal.overdue}" if removal.overdue else "none"
    left = {"rows": removal.rows, "overdue": overdue}
    story.with_name("left.json").write_text(json.dumps(left), encoding="utf-8")
    played = [sys.executable, "-m", "pytest", "-q", "--workers", "1", "-p", "no:cacheprovider", str(story)]
    done = subprocess.run(played, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
