"""The long profile: ``pytest tests/invariants --hypothesis-profile=thorough``."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("thorough", max_examples=1500, stateful_step_count=70, deadline=None)
