"""What all tests of a process share: started when first needed, ended after the last test."""

import atexit
import subprocess
import tempfile
from contextlib import ExitStack

_end = ExitStack()
#: Have something called after the last test.
at_end = _end.callback


def folder(prefix: str) -> str:
    """Make a folder that lasts as long as the tests."""
    made = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    return _end.enter_context(made)


def started(*words: str, stderr: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    """Start a program that runs as long as the tests, whatever it says."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=stderr)
    _end.callback(process.wait)
    _end.callback(process.terminate)
    return process


def end() -> None:
    """End all of it."""
    _end.close()


atexit.register(end)
