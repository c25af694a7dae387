"""Disables core dumps, which would contain people's secrets and the keys that encrypt them."""

import resource
from contextlib import suppress


def forbid_core_files() -> None:
    """Disable core dumps of this process and its children, if the system allows that.

    With a limit of 0, Linux would still pass the dump to a program named in ``core_pattern``. With a limit of
    one byte it doesn't, and no dump fits into a file of one byte (core(5), ``fs/coredump.c``).
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
