"""Tests of ``usher docs``, which prints pages of the documentation."""

import re

import pytest

from bot.__main__ import _build_parser
from bot.commands import pages
from tests.project.repository import ROOT
from tools import docs


def printed(capsys, *words):
    """Return the printed text of a page."""
    status = pages.docs(_build_parser().parse_args(["docs", *words]))
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    return said.out


def test_without_a_name_every_page_has_its_line(capsys):
    listed = re.findall(r"^- ([\w/-]+\.md|adr/): \S", printed(capsys), re.MULTILINE)
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(listed) == sorted(
        {"adr/", *(one for one in there if not one.startswith("adr/"))} - {"README.md"}
    )
    decisions = printed(capsys, "adr/").splitlines()
    assert set(decisions) == {one for one in there if one.startswith("adr/")}
    # Names can be typed exactly as the list prints them, with their ending.
    assert printed(capsys, "internals/providers/posit.md") == printed(capsys, "internals/providers/posit")


@pytest.mark.parametrize(
    "name", ["operate", "operate.md", "docs/operate.md", "../operate.md", "./docs/operate"], ids=str
)
def test_a_page_is_printed_for_a_terminal(capsys, name):
    text = printed(capsys, name)
    assert text.startswith("# Operating Usher\n")
    assert "incidents.md#the-database-has-failed-over" in text
    assert "[incidents.md]" not in text
    # Examples are what they are.
    assert text.count("```") == (ROOT / "docs/operate.md").read_text(encoding="utf-8").count("```")


def test_of_a_picture_its_description_is_printed(capsys):
    text = printed(capsys, "classes")
    assert "[Picture: A class card in a channel, with the button Get my workspace" in text
    assert "<img" not in text


def test_a_section_is_printed_with_those_within_it(capsys):
    text = printed(capsys, "operate#postgresql")
    assert text.startswith("## PostgreSQL\n")
    assert "### Several processes" in text
    assert "## Monitoring" not in text
    within = printed(capsys, "operate.md#several-processes")
    assert within.startswith("### Several processes")
    assert within.strip() in text
    # A line that begins with # within an example isn't a heading.
    assert "# jupyterhub_config.py" in printed(capsys, "connections#jupyterhub")


def test_every_section_that_a_document_can_link_to_is_found():
    """Every heading except the page's title has a section.

    If two headings are the same, the first one is found.
    """
    for path in (ROOT / "docs").rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        below = docs.anchors(path) - {pages.to_anchor(text.partition("\n")[0].lstrip("# "))}
        assert {one for one in below if not pages.find_section(text, re.sub(r"-\d$", "", one))} == set(), path


@pytest.mark.parametrize("name", ["operat", "operate#backup", "adr/86", "", "../Makefile", "/etc/passwd"])
def test_a_name_that_is_none_is_answered_with_a_sentence(capsys, name):
    assert pages.docs(_build_parser().parse_args(["docs", name])) == 2
    said = capsys.readouterr()
    told = f"There's no page or section {name}. `usher docs` lists all that there are.\n"
    assert (said.out, said.err) == ("", told)
