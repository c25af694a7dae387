"""A feature that no other needs can be deleted: its folder, its tests and its line in FEATURES.

In the copy ``story_without.py`` is played, with rows of the feature: a link, a start with its message, a
stop, a restart, and what ``doctor`` counts. Each commit draws one feature; the others are thorough.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from bot.features import FEATURES
from bot.features.feature import load
from tests.project.repository import ROOT, files, share_bytecode
from tests.rigs.thorough import draw_one

STORY = "tests/project/story_without.py"
LIST = "bot/features/__init__.py"


@dataclass(frozen=True)
class Left:
    """The rows that a feature leaves behind, and those of them that nobody does, as ``doctor`` counts them.

    A queue goes with its feature.
    """

    rows: Sequence[str] = ()
    overdue: str = ""


def row(table, **values):
    """Return the statement that writes a row; a value that begins with a colon is the story's."""
    given = ", ".join(f"'{value}'" if not str(value).startswith(":") else value for value in values.values())
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({given})"


def task(kind):
    times = {"created_at": ":now", "due_at": ":now"}
    return row("tasks", id=f"left {kind}", kind=kind, subject=":account", payload="{}", **times)


def rule(**values):
    return row(
        "rules",
        id="left",
        principal=":principal",
        connection="saturn",
        workspace_id=":workspace",
        days='["mon"]',
        starts=480,
        stops=570,
        zone="UTC",
        processed_until=":now",
        **values,
    )


#: By every feature that no other needs, what it leaves.
LEFT: Final[Mapping[str, Left]] = {
    "approvals": Left(
        [
            row(
                "approvals",
                id="left",
                principal=":principal",
                connection="saturn",
                username="alice",
                state="asked",
                requested_at=":now",
            )
        ]
    ),
    "assistant": Left(
        [
            row(
                "preferences",
                principal=":principal",
                **dict.fromkeys(("ready", "stopped", "run_ended"), 1),
                **dict.fromkeys(("workspace_id", "connection", "template"), ""),
                assistant="stop",
            )
        ]
    ),
    "expiries": Left(
        [
            task("renew_credential"),
            "UPDATE accounts SET expires_at = :now + 90000, remind_at = :now WHERE id = :account",
            "UPDATE workspaces SET expires_at = :now + 4600 WHERE id = :workspace",
        ],
        "reminder 1, renew_credential 1",
    ),
    "home": Left(
        [row("homes", principal=":principal", used_at=":now", requested_at=":now", next_check_at=":now")]
    ),
    "job_schedules": Left([task("schedule")], "schedule 1"),
    "undo": Left(),
    "waitlist": Left(
        [
            row(
                "waitlist_entries",
                id="left",
                principal=":principal",
                connection="saturn",
                workspace_id=":workspace",
                kind="gpu",
                seq=1,
                state="waiting",
                joined_at=":now",
                next_at=":now",
                expires_at=":now + 90000",
            )
        ]
    ),
}


def delete(feature, folder):
    """Copy the tree without a feature: its folder, its tests and its line."""
    gone = (f"bot/features/{feature}/", f"tests/features/{feature}/", "docs/pictures/")
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(gone):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
    text, line = (ROOT / LIST).read_text(encoding="utf-8"), f'    "{feature}",\n'
    assert text.count(line) == 1
    (folder / LIST).write_text(text.replace(line, ""), encoding="utf-8")
    share_bytecode(folder)


def test_every_feature_that_no_other_needs_is_deleted():
    needed = {name for feature in load() for name in feature.needs}
    assert sorted({*FEATURES} - needed) == sorted(LEFT)


@pytest.mark.parametrize("feature", draw_one([*LEFT]))
def test_without_it_people_link_start_and_stop(feature, tmp_path):
    delete(feature, tmp_path)
    story = tmp_path / "tests/scenarios/test_without.py"
    shutil.copyfile(ROOT / STORY, story)
    left = LEFT[feature]
    overdue = f"due for over an hour, and nobody does it: {left.overdue}" if left.overdue else "none"
    given = json.dumps({"rows": left.rows, "overdue": overdue})
    story.with_name("left.json").write_text(given, encoding="utf-8")
    played = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(story)]
    done = subprocess.run(played, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
