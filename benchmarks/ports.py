"""Ports for processes that are killed and started again."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Final

from playground.processes import StageError, free_port

#: Below those from which systems take the port of an outgoing connection: nobody gets one in the meantime.
_LASTING: Final = range(15_000, 30_000)


def lasting_ports(count: int) -> list[int]:
    """Return different ports that stay free while nobody listens."""
    found: list[int] = []
    for port in random.sample(_LASTING, len(_LASTING)):
        if len(found) == count:
            break
        with suppress(StageError):
            found.append(free_port(port))
    return found
