"""Fixtures for the conversation that creates the first settings. Each test has a new folder."""

import os

import pytest

from bot.support.environment import load_env_file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def begins(folder, monkeypatch):
    """Return a function that starts a new process's environment in that folder.

    The environment has only the given variables, and what ``.env`` in the folder sets.
    """

    def begin(**env: str) -> None:
        monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"], **env})
        load_env_file()

    return begin
