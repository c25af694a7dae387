"""The bot as it is installed, without its limit of one person's requests: a few stand for a large company."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final
from unittest.mock import patch

if __name__ == "__main__":
    # What structlog and aiohttp load where it is, and only development installs.
    sys.modules["rich"] = sys.modules["aiodns"] = None  # type: ignore[assignment]

from bot import app
from bot.__main__ import main
from bot.support.limits import RateLimiter

_MANY: Final = 1_000_000.0


@contextmanager
def without_limit() -> Iterator[None]:
    """Let anybody make as many requests as they like within a block."""
    with patch.object(app, "RateLimiter", partial(RateLimiter, burst=_MANY)):
        yield


if __name__ == "__main__":
    with without_limit():
        sys.exit(main(sys.argv[1:]))
