"""A feature can be taken out: without its modules and its line of the composition the mission goes on.

The tests of the copy play what the mission is: linking, a start with its card and message, a stop, a restart.
"""

import re
import shutil
import subprocess
import sys

import pytest

from tests.project.repository import ROOT, files
from tests.project.test_two_rings import KNOWS, MODULES, is_one_of, modules

COMPOSITION = "bot/reconciler/__init__.py"
STORY = "tests/scenarios/test_saturn_story.py"
#: What the composition says of each feature that nothing else knows, besides its imports.
SAID = {
    "links that end": (", Renewals(engine)", " EXPIRIES,", " REMINDERS,"),
    "schedules of jobs": (" Schedules(engine),",),
}


@pytest.mark.parametrize("feature", SAID)
def test_without_it_people_link_start_and_stop(feature, tmp_path):
    assert [name for name, others in KNOWS.items() if feature in others] == []
    gone = [file for file in modules().values() if is_one_of(file, MODULES[feature])]
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if name not in gone and not name.startswith("docs/pictures/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, tmp_path / name)
    composition = tmp_path / COMPOSITION
    text = composition.read_text(encoding="utf-8")
    for file in gone:
        text = re.sub(rf"from {file.removesuffix('.py').replace('/', '.')} import .*\n", "", text)
    for said in SAID[feature]:
        assert text.count(said) == 1
        text = text.replace(said, "")
    composition.write_text(text, encoding="utf-8")
    played = [sys.executable, "-m", "pytest", "-q", "--workers", "1", "-p", "no:cacheprovider", STORY]
    done = subprocess.run(played, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
