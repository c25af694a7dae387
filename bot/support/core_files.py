"""Forbids core dumps, which would contain people's secrets and the keys to them."""

import resource
from contextlib import suppress


def forbid_core_files() -> None:
    """Forbid core dumps of this process and its children, if the system allows it.

    With a limit of 0, Linux would still hand the dump to a program that ``core_pattern`` names. It neither
    does so with a limit of one byte, nor does a file fit (core(5), ``fs/coredump.c``).
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
