"""Texts for people: each is used."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "bot/messages/texts").glob("*.py"))
USED = Counter(
    word
    for room in ("bot", "handlers")
    for path in (ROOT / room).rglob("*")
    if path.suffix in {".py", ".html", ".js"}
    for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", path.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_text_is_used(path):
    names = re.findall(r"^([A-Z][A-Z0-9_]+)\b(?:: \w+)? = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in names if USED[name] < 2] == []
