"""Core files: a dump of this process's memory would hold people's secrets and the keys to them."""

import resource
from contextlib import suppress


def forbid_core_files() -> None:
    """Have no dump written of this process, nor of what it starts; it goes on where that is refused."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
