"""Time and ids are injected, so that tests need no sleeping and no patching."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Final, Protocol

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Tell the time; both in seconds."""

    def now(self) -> float:
        """Return epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""
        ...

    def boot(self) -> str:
        """Identify the boot of the machine within which ``monotonic`` keeps counting; "" if unknown."""
        ...

    def slept(self) -> float:
        """Return how many seconds the machine has slept since that boot; ``monotonic`` leaves them out."""
        ...


class SystemClock:
    """Tell the machine's time."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def boot(self) -> str:
        """Return Linux's id of this boot of the machine; "" on other systems."""
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def slept(self) -> float:
        """Return what Linux counts; 0.0 on other systems, where a sleep looks like a clock that was moved."""
        if not hasattr(time, "CLOCK_BOOTTIME"):
            return 0.0
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()


class Ids(Protocol):
    """Make ids that nobody can guess."""

    def new(self, prefix: str) -> str:
        """Return a fresh id such as ``operation_3f…``."""
        ...

    def reference(self) -> str:
        """Return a short id to read aloud and to find in the log, such as ``K7QX-2MPA``."""
        ...


#: Without letters and digits that are easily confused.
_READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class SystemIds:
    """Make ids from the machine's random source."""

    def new(self, prefix: str) -> str:
        """Return the prefix and 96 random bits in hex."""
        return f"{prefix}_{secrets.token_hex(12)}"

    def reference(self) -> str:
        """Return eight readable characters in two groups."""
        # Drawn in one go: each call to the machine's source costs as much as everything else here.
        number, letters = secrets.randbelow(len(_READABLE) ** 8), ""
        for _ in range(8):
            number, place = divmod(number, len(_READABLE))
            letters += _READABLE[place]
        return f"{letters[:4]}-{letters[4:]}"
