"""Test that every command of docs/commands.md works without the parser of free text."""

import json
import os
import shutil
import subprocess
import sys

from bot.messages.texts import talk
from tests.project.repository import ROOT, files, share_bytecode

FREE_TEXT = ("handlers/sentences.py", "handlers/requests/finding.py")
SCRIPT = "tests/project/commands_said.py"


def say_all(folder):
    played = [sys.executable, SCRIPT]
    env = {**os.environ, "PYTHONPATH": "."}
    done = subprocess.run(played, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_commands_work_without_the_reader_of_free_text(tmp_path):
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if name not in FREE_TEXT and not name.startswith("docs/pictures/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, tmp_path / name)
    share_bytecode(tmp_path)
    whole, without = say_all(ROOT), say_all(tmp_path)
    assert (whole["reads_free_text"], without["reads_free_text"]) == (True, False)
    assert len(whole["said"]) >= 40
    assert without["said"] == whole["said"]
    assert [command for command, (said, _) in without["said"].items() if talk.NOT_UNDERSTOOD in said] == []
