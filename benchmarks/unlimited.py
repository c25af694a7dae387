"""The bot as it is installed, but without the rate limit per person, so a few people can stand for many."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final
from unittest.mock import patch

if __name__ == "__main__":
    # `bot.__main__` also does this before it imports anything large.
    gc.disable()

from bot import app
from bot.__main__ import main
from bot.support.limits import RateLimiter

_MANY: Final = 1_000_000.0


@contextmanager
def without_limit() -> Iterator[None]:
    """Lift the limit on each person's requests for a block."""
    with patch.object(app, "RateLimiter", partial(RateLimiter, burst=_MANY)):
        yield


if __name__ == "__main__":
    with without_limit():
        sys.exit(main(sys.argv[1:]))
