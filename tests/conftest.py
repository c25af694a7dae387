"""What holds for all tests: how long one takes decides nothing; what is thorough runs apart."""

import gc
import os
from collections.abc import Iterator
from itertools import islice
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.rigs import forked, shared

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
        "--thorough",
        action="store_true",
        help="run what is marked as thorough instead of everything else",
    )


#: What takes long by the clock is begun first, by half of the workers, each part by one of them: nobody waits
#: for it at the end, the others use the processor while these wait, and a hub is started once.
LONG: Final = (
    "tests/chaos/test_chaos.py",
    "tests/demo/test_demo.py",
    "tests/contract/providers/test_jupyterhub",
    "tests/scenarios/test_hub.py",
    "tests/invariants",
    "tests/playground/test_jupyterhub_process.py",
    "tests/scenarios/test_process.py",
    "tests/playground/test_jupyterhub_lab.py",
)

#: What is slow as a whole: the whole bot, processes, long times and many calls that fail.
SLOW: Final = (
    "tests/app",
    "tests/benchmarks",
    "tests/chaos",
    "tests/contract/providers/test_bounds.py",
    "tests/contract/providers/test_jupyterhub_homes.py",
    "tests/contract/store/test_postgres",
    "tests/demo",
    "tests/faults",
    "tests/handlers/test_payloads.py",
    "tests/invariants",
    "tests/playground/test_jupyterhub",
    "tests/playground/test_slack_p",
    "tests/project/test_contributing.py",
    "tests/project/test_release.py",
    "tests/reconciler",
    "tests/scenarios",
    "tests/security",
    "tests/upkeep",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = bool(config.getoption("--thorough"))
    left_out = [one for one in items if bool(one.get_closest_marker("thorough")) != asked]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [one for one in items if bool(one.get_closest_marker("thorough")) == asked]
    for one in items:
        if one.nodeid.startswith(SLOW) or _asks_a_hub(one):
            one.add_marker(pytest.mark.slow)
    if settings.get_current_profile_name() == "thorough":
        for one in items:
            one.add_marker(pytest.mark.timeout(THOROUGH_SECONDS))
    items[:] = long_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish() -> None:
    """Leave out of every garbage collection what stays until the end: a million objects for all tests."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    """End it before the session does: what forks measures, which is part of the coverage."""
    yield
    forked.end()
    shared.end()


def _asks_a_hub(one: pytest.Item) -> bool:
    return "hubs" in getattr(one, "fixturenames", ()) and "hub" in one.nodeid


def _part(one: pytest.Item) -> int | None:
    """Return the long part that a test belongs to; those that share the contract's hub are of one."""
    if _asks_a_hub(one):
        return LONG.index("tests/contract/providers/test_jupyterhub")
    return next((rank for rank, part in enumerate(LONG) if one.nodeid.startswith(part)), None)


def long_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests so that half of the workers' shares, as xdist deals them out, begin with long ones."""
    parts: dict[int | None, list[pytest.Item]] = {}
    for one in items:
        parts.setdefault(_part(one), []).append(one)
    rest = iter(parts.pop(None, []))
    patient = max(workers // 2, 1)
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        ranks = range(worker, len(LONG), patient) if worker < patient else ()
        first = [one for rank in ranks for one in parts.get(rank, [])]
        size = (len(items) - len(ordered)) // (workers - worker)
        ordered += first + list(islice(rest, max(size - len(first), 0) if worker < workers - 1 else None))
    return ordered
