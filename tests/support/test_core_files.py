"""Test that a process with people's secrets leaves no core dump."""

import resource
import subprocess
import sys

from bot.support.clock import SystemClock
from bot.support.core_files import forbid_core_files


def test_every_command_forbids_core_files():
    shown = "import resource; from bot.__main__ import main; main(['keys', 'new'])\n"
    shown += "print(resource.getrlimit(resource.RLIMIT_CORE))"
    ended = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "(1, 1)"


def test_refused_limit_stops_nothing(monkeypatch):
    def refuse(*_):
        raise ValueError("not permitted")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    forbid_core_files()


def test_boot_that_a_unit_gives_is_the_same_as_that_of_the_system(monkeypatch):
    monkeypatch.delenv("BOOT_ID", raising=False)
    system = SystemClock().boot()
    monkeypatch.setenv("BOOT_ID", "0123456789abcdef0123456789abcdef")
    assert SystemClock().boot() == "0123456789abcdef0123456789abcdef"
    assert "-" not in system
