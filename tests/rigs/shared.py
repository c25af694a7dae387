"""Resources that all tests of a process share.

They are created when first needed, and cleaned up at the end.
"""

import atexit
import subprocess
import tempfile
from contextlib import ExitStack

_end = ExitStack()
#: Registers a function that is called after the last test.
at_end = _end.callback


def folder(prefix: str) -> str:
    """Create a folder that is deleted after the last test."""
    made = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    return _end.enter_context(made)


def started(*words: str, stderr: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    """Start a program that runs until the last test has ended. Its output is discarded."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=stderr)
    _end.callback(process.wait)
    _end.callback(process.terminate)
    return process


def end() -> None:
    """Clean up all of these resources."""
    _end.close()


atexit.register(end)
