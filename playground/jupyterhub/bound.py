"""Ends a child process when its parent ends, if the system supports that (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def binder(parent: int) -> Callable[[], None]:
    """Return a function for a new child process to call, so that it gets SIGTERM when ``parent`` dies.

    The C library is looked up here, before the fork, because a child should do little between fork and exec.
    A change of the user id cancels the signal, so call the function after the change.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the bond was made
            os._exit(1)

    return bind
