"""Tests that the documents pass their check, and that the check finds long lines and broken links."""

import pytest

from tests.project.repository import ROOT
from tools import docs


@pytest.fixture
def page(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/other.md").write_text("# Other\n\n## 1. The `gate`, again\n\n## Twice\n\n## Twice\n")
    return tmp_path / "docs/page.md"


def wrong(page, text: str) -> list[tuple[int, str]]:
    page.write_text(text)
    return list(docs.find_mistakes(page))


def test_the_documents_have_short_lines_and_links_that_lead_somewhere(capsys):
    status = docs.main(ROOT)
    assert status == 0, capsys.readouterr().out
    assert len(docs.documents(ROOT)) > 50


@pytest.mark.parametrize(
    "text",
    [
        "x" * 120,
        "[here](other.md), [there](other.md#1-the-gate-again), [twice](other.md#twice-1), [up](../docs/)",
        "# Own heading\n\n[above](#own-heading) and [on the web](https://example.org/none)",
        "[named][other]\n\n[other]: other.md#twice",
        '<img src="other.md"\n    alt="A picture">',
        "```\n[code](nothing.md)\n# Not a heading\n```\n",
        "`[code](nothing.md)`, `[named][nothing]`",
    ],
)
def test_what_is_right_is_left_alone(page, text):
    assert wrong(page, text) == []


@pytest.mark.parametrize(
    ("text", "number", "what"),
    [
        ("short\n" + "x" * 121, 2, "121 characters"),
        ("| " + "x" * 120 + " |", 1, "124 characters"),
        ("```\n" + "x" * 121 + "\n```", 2, "121 characters"),
        ("[here](nothing.md)", 1, "nothing.md"),
        ("[two\nlines](nothing.md)", 2, "nothing.md"),
        ("[there](other.md#nothing)", 1, "other.md#nothing"),
        ("[thrice](other.md#twice-2)", 1, "other.md#twice-2"),
        ("[above](#nothing)", 1, "#nothing"),
        ("[above](#code)\n\n```\n# Code\n```", 1, "#code"),
        ("[into a folder](../docs/#nothing)", 1, "nothing"),
        ('<img src="nothing.png">', 1, "nothing.png"),
        ("[named][other]\n\n[other]: nothing.md", 3, "nothing.md"),
        ("[named][nothing]", 1, "isn't defined: nothing"),
    ],
)
def test_what_is_wrong_is_found_on_its_line(page, text, number, what):
    ((line, found),) = wrong(page, text)
    assert line == number
    assert what in found


def test_what_is_made_and_hidden_is_not_looked_at(tmp_path):
    for folder in ("docs", ".github", ".venv", "build/lib", "mutants/docs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "page.md").write_text("x" * 121)
    assert [path.parent.name for path in docs.documents(tmp_path)] == [".github", "docs"]


def test_a_problem_fails_the_check_and_is_named(tmp_path, capsys):
    (tmp_path / "page.md").write_text("fine\n[here](nothing.md)\n")
    assert docs.main(tmp_path) == 1
    assert capsys.readouterr().out == "page.md:2: a link that leads nowhere: nothing.md\n"


def test_no_two_decisions_have_one_number():
    """The heading of each decision has the same number as its file."""
    decisions = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [path.name[:4] for path in decisions if path.name != "0000-template.md"]
    assert len(set(numbers)) == len(numbers) > 20
    for path in decisions[1:]:
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])}. "), path.name


def test_stale_table_fails_the_check(tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    page = (ROOT / "docs/slack-app.md").read_text(encoding="utf-8")
    (tmp_path / "docs/slack-app.md").write_text(page.replace("`commands` | Provides", "`commands` | Brings"))
    assert docs.main(tmp_path) == 1
    assert "docs/slack-app.md: a table is not as the code has it" in capsys.readouterr().out
    assert docs.with_tables(page, docs.MADE_TABLES["docs/slack-app.md"]) == page
