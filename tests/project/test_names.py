"""tools/names.py counts names and docstrings that say too little, and fails where a count grows."""

import importlib.util
from functools import partial

import pytest

from tests.project.repository import ROOT

LIMITS = {"categories": {"bare participle": 1, "headless docstring": 0}, "words": {"errand": 0, "asked": 1}}


@pytest.fixture(scope="module")
def names():
    spec = importlib.util.spec_from_file_location("tools_names", ROOT / "tools/names.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def find(names, tmp_path):
    def find(source, *, folder="bot", name="module.py"):
        for each in ("bot", "handlers", "usher", "tests"):
            (tmp_path / each).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(source)
        return [(category, text) for category, _, text in names.find_all(tmp_path, LIMITS)]

    return find


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("named", "bare participle"),
        ("taken_back", "bare participle"),
        ("about", "bare preposition or adverb"),
        ("rests", "function without a verb"),
        ("find_by_name", ""),
        ("is_open", ""),
        ("on_write", ""),
        ("__init__", ""),
    ],
)
def test_function_names_have_a_category(find, name, category):
    found = find(f"def {name}(): ...\n")
    assert found == ([(category, name)] if category else [])


def test_property_may_be_a_noun(find):
    assert find("class Queue:\n    @property\n    def size(self): ...\n") == []


def test_docstring_of_a_clause_alone_is_headless(find):
    found = find('def find_rows():\n    """Return what is due."""\n')
    assert found == [("headless docstring", "find_rows: Return what is due.")]
    assert find('def find_rows():\n    """Return the rows that are due."""\n') == []


def test_module_docstring_begins_with_a_noun(find):
    assert find('"""What is due."""\n') == [("module docstring that names no noun", "What is due.")]


def test_constant_of_three_modules_is_counted_in_each(find):
    for number in range(3):
        found = find("MOST = 3\n", name=f"module{number}.py")
    assert found == [("one-word constant in 3+ modules", "MOST")] * 3


def test_private_words_are_counted_in_names_of_things(find):
    found = find("errand_id = 1\ndef run(asked): ...\nclass Errand: ...\n")
    assert sorted(found) == [("asked", "asked"), ("errand", "Errand"), ("errand", "errand_id")]


def test_word_without_a_limit_above_zero_is_gone_from_columns(find, tmp_path):
    script = "CREATE TABLE errand (\n    asked TEXT,\n    known TEXT\n);\n"
    (tmp_path / "bot/migrations").mkdir(parents=True)
    assert find("") == []
    (tmp_path / "bot/migrations/0001_initial.sql").write_text(script)
    assert find("") == [("errand", "errand"), ("empty name", "known")]


def test_long_test_names_and_ids_of_objects_are_counted(find):
    name = "test_" + "x" * 80
    source = f"@pytest.mark.parametrize('row', [object()])\ndef {name}(row): ...\n"
    found = find(source, folder="tests", name="test_one.py")
    assert sorted(found) == [
        ("parametrize without readable ids", "'row'"),
        ("test name over 80 characters", name),
    ]


def test_limits_are_lowered_and_never_raised(names, monkeypatch, capsys, tmp_path):
    limits = tmp_path / "names.toml"
    limits.write_text('# Why.\n[categories]\n"bare participle" = 5\n[words]\n"errand" = 0\n')
    monkeypatch.setattr(names, "read_limits", lambda: names.tomllib.loads(limits.read_text()))
    monkeypatch.setattr(names, "write_limits", partial(names.write_limits, file=limits))
    findings = [("bare participle", "a.py:1", "named"), ("errand", "a.py:2", "errand_id")]
    monkeypatch.setattr(names, "find_all", lambda *_: findings)
    assert names.main(["--lower"]) == 1
    assert "errand: 1, at most 0 are allowed" in capsys.readouterr().out
    assert limits.read_text().startswith("# Why.\n")
    assert names.read_limits() == {"categories": {"bare participle": 1}, "words": {"errand": 0}}
    findings.clear()
    assert names.main([]) == 0


@pytest.mark.parametrize(
    ("subject", "is_riddle"),
    [
        ("Don't restore an undone planned stop after *Keep waiting*", False),
        ("Delete strangers_world.py, which nothing uses", False),
        ("Show `one` beside *What it costs*", False),
        ("Let what waits for a former link's list wait for the next one's", True),
        ("Call what words may refer to referents", True),
        ("Take it back", True),
    ],
)
def test_subject_names_the_thing(subject, is_riddle):
    spec = importlib.util.spec_from_file_location("tools_commits", ROOT / "tools/commits.py")
    commits = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(commits)
    assert commits.is_riddle(subject) is is_riddle
