"""Forbids core dumps, which would contain people's secrets and the keys to them."""

import resource
from contextlib import suppress


def forbid_core_files() -> None:
    """Forbid core dumps of this process and its children, if the system allows it."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
