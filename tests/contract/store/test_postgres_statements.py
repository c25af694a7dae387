"""The cases marked ``both_engines`` run every named statement on PostgreSQL.

A new statement needs such a case: mark a test that runs it.
"""

import re
from pathlib import Path

import pytest

from bot.store.statements import read_queries
from tests.contract.store.conftest import MARKED_CASES_RUN, TOGETHER, is_marked_case
from tests.rigs import postgres
from tests.rigs.statements import CLAIMS, COUNTS, STAGES, SWEEPS

#: Statements that move clocks or free what a process left behind. They are needed on SQLite only, since
#: PostgreSQL has its own clock.
OF_SQLITE = re.compile(r"heal_|free_|move_")

#: Named statements, the claims of declared queues, the stages of fan-outs, and the deletions of old rows.
QUERIES = read_queries() | CLAIMS | COUNTS | STAGES | SWEEPS


def has_run(name: str, statements: set[str]) -> bool:
    """Return whether a named statement has run, with any text in place of its ``{words}``."""
    query = QUERIES[name]
    parts = re.split(r"\{\w+\}", query)
    pattern = re.compile("(?s:.*)".join(map(re.escape, parts)))
    return name in statements or any(pattern.fullmatch(statement) for statement in statements)


def has_all_cases(config: pytest.Config) -> bool:
    """Return whether pytest was given all tests, without ``-k`` or ``-m``."""
    folder = Path(__file__).parents[2]
    given = {(config.invocation_params.dir / word).resolve() for word in config.args}
    return bool(given & {folder, *folder.parents}) and not (config.option.keyword or config.option.markexpr)


@TOGETHER
@pytest.mark.after_both_engines
def test_marked_cases_run_each_statement_on_postgresql(request):
    if not has_all_cases(request.config):
        pytest.skip("only where all marked cases are run")
    postgres.needed()
    assert {item.nodeid for item in request.session.items if is_marked_case(item)} == MARKED_CASES_RUN
    wanted = [name for name in QUERIES if not OF_SQLITE.match(name)]
    assert [name for name in wanted if not has_run(name, postgres.STATEMENTS_RUN)] == []
