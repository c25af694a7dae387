"""Say every command of docs/commands.md, and print the answers and effects, by command.

``test_free_text_deleted.py`` runs this in the repository, and in a copy without the parser of free text.
"""

import asyncio
import json
import re
import sys
from contextlib import suppress
from pathlib import Path

from bot.domain.workspaces import State
from handlers.loading import load
from handlers.requests import routes
from tests.handlers.rig import words
from tests.handlers.run_rig import over, run_rig

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
_COMMAND_PATTERN = re.compile(r"/(workspace|job) ([a-z][^`\n]*?)(?=`|\n| {3,})")
STOPPED = ("notebook", "thesis", "scratch")
RUNNING = ("report", "analysis")


def read_commands() -> list[tuple[str, str]]:
    """Return each command of the page with its folder, as people type it."""
    found = _COMMAND_PATTERN.findall(PAGE.read_text(encoding="utf-8").replace("\\|", "|"))
    return [*dict.fromkeys(found)]


async def say(folder: str, text: str) -> list[object]:
    """Return a command's answer and effects, in a new world."""
    async with run_rig("saturn") as bot:
        await bot.link(names=(*STOPPED, *RUNNING, "survey figures"))
        await bot.link(names=("training", "scratch"), connection="hub", username="al")
        for name in (*RUNNING, "survey figures"):
            await bot.sees(State.RUNNING, name)
        await bot.sees(State.SUSPENDED, "survey figures")
        await over(bot, "nightly-report")
        answer = await bot.say(f"job {text}" if folder == "job" else text)
        said = "form" if answer.view is not None else words(answer)
        return [said, [row["action"] for row in await bot.audit()]]


async def main() -> None:
    said = {f"/{folder} {text}": await say(folder, text) for folder, text in read_commands()}
    json.dump({"reads_free_text": "free" in routes.text, "said": said}, sys.stdout)


if __name__ == "__main__":
    load()
    with suppress(BrokenPipeError):
        asyncio.run(main())
