"""Core files: a dump of this process's memory would hold people's secrets and the keys to them."""

import resource
from contextlib import suppress


def forbid_core_files() -> None:
    """Forbid dumps of this process and of its children, if the system allows that."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
