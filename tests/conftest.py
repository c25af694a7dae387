"""What holds for all tests: how long one takes decides nothing; long matrices are played in part."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import islice
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.rigs import forked

#: The same examples in every run: no test fails by chance. What is new is looked for by the long profile,
#: whose seed ``make test-thorough`` prints and takes (``SEED=``); what it finds becomes an explicit example.
settings.register_profile("usher", deadline=None, derandomize=True)
settings.register_profile(
    "thorough",
    deadline=None,
    derandomize=False,
    max_examples=1500,
    stateful_step_count=70,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
#: How long a test with so many examples may take, with what it finds made shorter. The usual limit would end
#: it in the middle of an example, and that counts as a failure of that one.
THOROUGH_SECONDS: Final = 3600
settings.load_profile("usher")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-call",
        action="store_true",
        help="fail and kill at every single call, in each way, instead of at some of them",
    )


#: Of the slow rows of these every third is played by default, all with ``--every-call``: the contract tests
#: of the providers put every call through every sort of trouble, quickly. Slack's two methods that send and
#: change messages are played whole.
LONG_MATRICES: Final = (
    "tests/faults/test_posit.py",
    "tests/faults/test_saturn_cloud.py",
    "tests/scenarios/test_provider_matrix.py",
    "tests/scenarios/test_slack_matrix.py",
)
KEPT: Final = 3


#: What takes long by the clock is begun first, by half of the workers: nobody waits for it at the end, and
#: the others use the processor while these wait.
LONG: Final = (
    "tests/chaos/test_chaos.py",
    "tests/demo/test_demo.py",
    "tests/invariants",
    "tests/benchmarks/test_smoke.py",
    "tests/playground/test_jupyterhub_lab.py",
    "tests/scenarios/test_cluster.py",
    "tests/scenarios/test_process.py",
    "tests/scenarios/test_hub.py",
    "tests/playground/test_jupyterhub_process.py",
    "tests/playground/test_jupyterhub_light.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--every-call"):
        rows = [
            one for one in items if one.nodeid.startswith(LONG_MATRICES) and one.get_closest_marker("slow")
        ]
        left_out = {one.nodeid for number, one in enumerate(rows) if number % KEPT}
        if left_out:
            config.hook.pytest_deselected(items=[one for one in items if one.nodeid in left_out])
            items[:] = [one for one in items if one.nodeid not in left_out]
    if settings.get_current_profile_name() == "thorough":
        for one in items:
            one.add_marker(pytest.mark.timeout(THOROUGH_SECONDS))
    items[:] = long_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish() -> None:
    """Leave out of every garbage collection what stays until the end: a million objects for all tests."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _nothing_forks_any_more() -> Iterator[None]:
    """End it before the session does: what it measured is part of the coverage."""
    yield
    forked.end()


def long_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests so that half of the workers' shares, as xdist deals them out, begin with long ones."""
    ranks = {part: rank for rank, part in enumerate(LONG)}
    ranked = [(rank, one) for one in items for part, rank in ranks.items() if one.nodeid.startswith(part)]
    long = [one for _, one in sorted(ranked, key=lambda pair: pair[0])]
    rest = iter([one for one in items if not one.nodeid.startswith(LONG)])
    ordered: list[pytest.Item] = []
    patient = max(workers // 2, 1)
    for worker in range(workers):
        first = long[worker::patient] if worker < patient else []
        size = (len(items) - len(ordered)) // (workers - worker)
        ordered += first + list(islice(rest, max(size - len(first), 0) if worker < workers - 1 else None))
    return ordered
