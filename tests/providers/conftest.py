"""A fixture that writes a connections file."""

import pytest


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "connections.toml"

    def write(text):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return write
