"""Tests of how many starts in a row may fail before Usher gives up on automatic starts."""

import math

import pytest

from bot.providers import list_provider_classes

HUB = {"name": "hub", "provider": "jupyterhub", "title": "Team hub", "base_url": "https://hub.example.org"}


@pytest.mark.parametrize(
    ("limit", "allowed"), [({}, 0.0), (0, math.inf), (1, 0), (4, 2), (5, 2), (10, 5)], ids=str
)
def test_half_of_what_a_hub_allows_may_fail(limit, allowed):
    """Without the setting, none may fail. The value 0 says that the hub has no limit."""
    given = {} if limit == {} else {"consecutive_failure_limit": limit}
    settings = list_provider_classes()["jupyterhub"].settings_model.model_validate({**HUB, **given})
    assert settings.failures_allowed == allowed
    assert ("waiting" in settings.abilities) is (allowed > 1)
