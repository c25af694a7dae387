"""A course whose process is really killed in the lead: each student is started once and told once."""

import asyncio
import json

import pytest

from benchmarks.__main__ import main


@pytest.mark.thorough
@pytest.mark.timeout(600)
async def test_a_process_that_is_killed_in_the_lead_has_everybody_ready_once(capsys):
    assert await asyncio.to_thread(main, ["--toy", "course"]) == 0
    figures = {one["name"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert figures["course_ready"]["value"] == 100.0, figures
    assert " 0 before the lead, 0 overtaken, 0 twice" in figures["course_ready"]["note"]
