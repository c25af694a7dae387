"""Tests that CONTRIBUTING.md works as written: its files are created and its commands run in a copy."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.project.repository import ROOT, files, share_bytecode
from tests.rigs.thorough import draw_one
from tools import release

#: Matches "`FILE`:", "In `FILE`, at the end:" or "In `FILE`, above `TEXT`:", with the block that follows.
STEP = re.compile(
    r"`([\w/.-]+)`(?:, (?:(at the end)|above (`+) ?(.+?) ?\3))?:\n\n```\w*\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^((?:\w+=1 )?)\.venv/bin/(\w+) (.+)$", re.MULTILINE)
PYTEST = ("-q", "-p", "no:cacheprovider")
#: Replacements that turn the page's verb into somebody's own one, in another place.
OWN = {
    "handlers/workspace/counting.py": "handlers/tallying.py",
    "test_counting.py": "test_tallying.py",
    'usage="count"': 'command="job",\n        usage="tally"',
    "        order=279,\n": "        order=65,\n",
    "async def count(": "async def tally(",
    "COUNTED": "TALLIED",
    'say("count")': 'say("job tally")',
    '        group="accounts",\n': "",
    "above ``| `about [CONNECTION]` |``": "above ``| `stop NAME` | stops a run``",
    "| `count` |": "| `tally` |",
    "`/workspace count`": "`/job tally`",
}


def copied(folder: Path) -> str:
    """Export the commit to a folder, or the available files without git; return the page's text."""
    if (ROOT / ".git").exists():
        release.export("HEAD", folder)
    else:
        for path in files():
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy, follow_symlinks=False)
    share_bytecode(folder)
    return (folder / "CONTRIBUTING.md").read_text(encoding="utf-8")


def follow(folder: Path, page: str) -> list[str]:
    """Change the files as the page says, and return their names."""
    done = []
    for file, at_end, _, anchor, block in STEP.findall(page):
        path = folder / file
        before = path.read_text(encoding="utf-8") if at_end or anchor else ""
        at = before.index(anchor) if anchor else len(before)
        at = before.rindex("\n", 0, at) + 1 if anchor else at
        path.write_text(before[:at] + block + before[at:], encoding="utf-8")
        done.append(file)
    return done


@pytest.mark.parametrize("form", draw_one(["as-written", "own-elsewhere"]))
def test_a_first_verb_works_as_written(tmp_path, form):
    is_own = form == "own-elsewhere"
    page = copied(tmp_path)
    if not is_own and (tmp_path / STEP.findall(page)[0][0]).exists():
        pytest.skip("the page's verb is there already; it is added here under another name")
    for ours, own in OWN.items() if is_own else ():
        assert ours in page
        page = page.replace(ours, own)
    changed = follow(tmp_path, page)
    assert len(changed) == 3
    given = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}

    def run(command: tuple[str, str, str]) -> str:
        setting, program, words = command
        is_test = "pytest" in words
        ended = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *words.split(), *(PYTEST if is_test else ())],
            cwd=tmp_path,
            env=given | dict([setting.strip().split("=")] if setting else []),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    commands = [one for one in COMMAND.findall(page) if not one[2].endswith("tests/handlers")]
    assert len(commands) == 3
    with ThreadPoolExecutor(2) as pool:
        said = "\n".join(pool.map(run, commands))
    assert ("status, stop, tally" if is_own else "card, count, forget") in said
    # The golden file was written again. This test and those of texts are the only ones that know every verb.
    run(("", "python", "-m pytest tests/handlers/test_links.py tests/project/test_texts.py"))
    code = " ".join(file for file in changed if file.endswith(".py"))
    run(("", "ruff", f"check {code}"))
    run(("", "ruff", f"format --check {code}"))
