"""The page of all messages is what the golden files say."""

from __future__ import annotations

import importlib.util
import os

from tests.project.repository import ROOT


def test_the_page_of_all_messages_is_up_to_date():
    place = importlib.util.spec_from_file_location("messages_page", ROOT / "tools/messages.py")
    tool = importlib.util.module_from_spec(place)
    place.loader.exec_module(tool)
    if os.environ.get("UPDATE_GOLDEN"):
        tool.PAGE.write_text(tool.page(), encoding="utf-8")
    is_same = tool.PAGE.read_text(encoding="utf-8") == tool.page()
    assert is_same, "run `python tools/messages.py` and look at the difference"
