"""What CONTRIBUTING.md says works as written: its files go into a copy, and its commands run there."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.project.repository import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: "`FILE`:", "In `FILE`, at the end:" or "In `FILE`, above `TEXT`:", and the block that follows.
STEP = re.compile(
    r"`([\w/.-]+)`(?:, (?:(at the end)|above (`+) ?(.+?) ?\3))?:\n\n```\w*\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\.venv/bin/python (.+)$", re.MULTILINE)
PYTEST = ("-q", "-p", "no:cacheprovider")
#: What a copy needs beside the folders in which something changes.
CHANGED = ("bot", "handlers", "tests", "docs")
AS_IT_IS = ("playground", "pyproject.toml", ".env.example")


def copied(folder: Path) -> None:
    for name in CHANGED:
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("golden"))
    for name in AS_IT_IS:
        (folder / name).symlink_to(ROOT / name)


def follow(folder: Path) -> list[str]:
    """Do what the page says to its files; return which they are."""
    done = []
    for file, at_end, _, anchor, block in STEP.findall(PAGE):
        path = folder / file
        before = path.read_text(encoding="utf-8") if at_end or anchor else ""
        at = before.index(anchor) if anchor else len(before)
        at = before.rindex("\n", 0, at) + 1 if anchor else at
        path.write_text(before[:at] + block + before[at:], encoding="utf-8")
        done.append(file)
    return done


def test_a_first_verb_and_a_first_provider_work_as_written(tmp_path):
    copied(tmp_path)
    assert len(follow(tmp_path)) == 7
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(words: str) -> tuple[int, str]:
        given = [sys.executable, *words.split(), *(PYTEST if "pytest" in words else ())]
        ended = subprocess.run(
            given, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return ended.returncode, ended.stdout + ended.stderr

    commands = [words for words in COMMAND.findall(PAGE) if not words.endswith("tests/handlers")]
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(run, commands))
    assert len(ended) == 3
    assert [said for status, said in ended if status != 0] == []
    said = "\n".join(said for _, said in ended)
    assert "card, count, forget" in said
    assert re.search(r"2\d passed", said), said
