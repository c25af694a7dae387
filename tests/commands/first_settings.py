"""A folder for the first settings, and its conversation."""

import os

import pytest

from bot.support.environment import load_env_file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def begins(folder, monkeypatch):
    """Return what begins a process in that folder: nothing but these variables, and what is written."""

    def begin(**env: str) -> None:
        monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"], **env})
        load_env_file()

    return begin
