"""Tests that the audit's result counts only if pip-audit could reach its data."""

import importlib.util
import json

import pytest

from tests.project.repository import ROOT

CLEAN = json.dumps({"dependencies": [{"name": "aiohttp", "version": "3.14.5", "vulns": []}]})
KNOWN = json.dumps(
    {"dependencies": [{"name": "jinja2", "version": "2.11.2", "vulns": [{"id": "PYSEC-2021-66"}]}]}
)
BAD = json.dumps(
    {"dependencies": [{"name": "aiohttp", "version": "3.0.0", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}]}
)


@pytest.fixture
def audit():
    spec = importlib.util.spec_from_file_location("tools_audit", ROOT / "tools/audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(known, ours):
    """Stand in for pip-audit: one answer for the known-bad version, and one for the lock."""
    return lambda requirements, *_: ours if requirements.name == "dev.txt" else known


@pytest.mark.parametrize("known", [(1, "", "not found"), (0, CLEAN, ""), (0, "", "")])
def test_where_the_known_bad_version_is_not_known_nothing_is_said_of_ours(audit, capsys, known):
    assert audit.main(answers(known, (0, CLEAN, ""))) == 0
    assert "NOT CHECKED" in capsys.readouterr().out


def test_nothing_found(audit, capsys):
    assert audit.main(answers((1, KNOWN, ""), (0, CLEAN, ""))) == 0
    assert "no known vulnerabilities" in capsys.readouterr().out


def test_each_vulnerability_is_named_and_fails(audit, capsys):
    assert audit.main(answers((1, KNOWN, ""), (1, BAD, "Found 2"))) == 1
    assert "aiohttp 3.0.0: CVE-1, CVE-2" in capsys.readouterr().out


def test_an_audit_that_breaks_off_fails(audit, capsys):
    assert audit.main(answers((1, KNOWN, ""), (1, "", "ERROR: one was skipped"))) == 1
    assert "one was skipped" in capsys.readouterr().err


def test_an_audit_that_never_ends_is_no_report(audit, tmp_path):
    """A source of data that doesn't respond counts as unreachable, and this is printed."""
    audit.TIMEOUT_S = 0.01
    status, report, messages = audit.run_pip_audit(tmp_path / "nothing.txt")
    assert (status, report) == (1, "")
    assert "did not end" in messages
