"""What holds for all tests: how long an example of Hypothesis takes decides nothing."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("usher", deadline=None)
settings.load_profile("usher")
