"""Ends a child process when its parent ends, if the system supports that (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def binder(parent: int) -> Callable[[], None]:
    """Return a function that a fresh child calls on itself, so that SIGTERM reaches it when ``parent`` dies.

    The library is looked up here, before the fork: a child between fork and exec should do little. A changed
    user id takes the bond away again, so it is made afterwards.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the bond was made
            os._exit(1)

    return bind
