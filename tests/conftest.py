"""Hooks and fixtures for all tests. Durations decide nothing, and thorough tests run separately."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

from tests.rigs import programs, servers, shared, thorough, weight

# If Python may not write bytecode, each worker has to compile the same modules again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
pytest.register_assert_rewrite("usher.conformance", "coder_rig", "codespaces_rig")

#: The number of thorough tests that this run leaves out.
LEFT_OUT: Final = pytest.StashKey[int]()
#: The same examples in every run, so that no test fails by chance. The thorough profile tries new ones; `make
#: test-thorough` prints its seed, and takes one as ``SEED=``. An example that it finds is then written into
#: the test.
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
#: Seconds that a test with this many examples may take, including the shrinking of a failing example. The
#: usual limit would stop it within an example, which would then count as failing.
THOROUGH_SECONDS: Final = 3600
settings.load_profile("usher")
#: A folder in memory, and the free space there that tests need.
MEMORY: Final = "/dev/shm"
MIN_MEMORY_BYTES: Final = 3 * 2**30


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="run what is marked as thorough instead of everything else",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker the addresses of the servers that all workers share."""
    node.workerinput["servers"] = servers.begin()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_configure(config: pytest.Config) -> None:
    if (told := getattr(config, "workerinput", None)) is not None:
        servers.join(told["servers"])
    elif _has_room_in_memory():
        # On a disk, creating and deleting a temporary folder takes longer than many of the tests themselves.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


def _has_room_in_memory() -> bool:
    """Return whether the folder in memory has enough free space, and may contain programs."""
    is_usable = os.access(MEMORY, os.W_OK | os.X_OK) and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return is_usable and shutil.disk_usage(MEMORY).free >= MIN_MEMORY_BYTES


def _collects(config: pytest.Config) -> bool:
    """Return whether this process collects the tests. If there are workers, only they do."""
    return hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = bool(config.getoption("--thorough"))
    for one in items:
        _mark(one)
    thorough.mark_products(items)
    # The thorough run has all cases of parametrized products, including those that the normal run has drawn.
    kept = [one for one in items if _is_thorough(one, drawn=asked) == asked]
    if len(kept) < len(items):
        config.stash[LEFT_OUT] = 0 if asked else len(items) - len(kept)
        if hasattr(config, "workeroutput"):
            config.workeroutput["left_out"] = config.stash[LEFT_OUT]
        config.hook.pytest_deselected(items=list(set(items) - set(kept)))
        items[:] = kept
    if settings.get_current_profile_name() == "thorough":
        for one in items:
            one.add_marker(pytest.mark.timeout(THOROUGH_SECONDS))


def _mark(item: pytest.Item) -> None:
    """Group tests that share something slow to start, and leave most browser tests to the thorough run."""
    browser = item.get_closest_marker("browser")
    if browser:
        item.add_marker(pytest.mark.xdist_group("browser"))
        if not browser.kwargs.get("always"):
            item.add_marker(pytest.mark.thorough)
    elif not item.get_closest_marker("xdist_group") and _shares_fixture(item):
        item.add_marker(pytest.mark.xdist_group(item.location[0]))


def _shares_fixture(item: pytest.Item) -> bool:
    """Return whether a test has a fixture that several tests share, but not all of them."""
    made = item._fixtureinfo.name2fixturedefs.values() if isinstance(item, pytest.Function) else ()
    return any(one.scope in ("class", "module", "package") for several in made for one in several)


def _is_thorough(item: pytest.Item, *, drawn: bool) -> bool:
    return bool(item.get_closest_marker("thorough") or (drawn and item.get_closest_marker("drawn")))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser"):
        programs.require_browser()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Print at the end how many thorough tests were left out, and how to run them."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and (count := config.stash.get(LEFT_OUT, 0)):
        terminal.write_line(f"Left out: {count} thorough tests. Run them with `make test-thorough`.")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Switch garbage collection off while tests are imported and collected.

    Those objects stay in any case, and searching them for garbage takes two seconds.
    """
    if _collects(session.config):
        gc.disable()


def pytest_collection(session: pytest.Session) -> None:
    """Load all features, as a process does when it starts."""
    from handlers.loading import load

    if _collects(session.config):
        load()


def pytest_collection_finish() -> None:
    """Exclude the million objects that last until the end of the tests from garbage collection."""
    gc.enable()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    """End shared programs before the test session ends."""
    yield
    shared.end()


@pytest.fixture(autouse=True)
def _no_transaction_of_thousands() -> Iterator[None]:
    """Fail if a transaction changes too many rows, whatever the test does."""
    with weight.scales():
        yield
