"""Disables core dumps, which would contain people's secrets and the keys that encrypt them."""

import resource
from contextlib import suppress


def forbid_core_files() -> None:
    """Disable core dumps of this process and its children, if the system allows that.

    If the limit were 0, Linux would still pass the dump to a program that ``core_pattern`` names. With a
    limit of one byte it doesn't, and no file fits into one byte either (core(5), ``fs/coredump.c``).
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
