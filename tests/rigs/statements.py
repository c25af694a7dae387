"""Every SQL statement of the store, by name: named queries, lookups by key, and generated queries."""

from bot.store import counts, due_work, fan_out, gates, notices, runs, sweeping
from bot.store.queues import DECLARED_QUEUES
from bot.store.statements import find_query, read_queries
from bot.store.tables import TABLES

#: Words that each of these placeholders stands for.
WORDS = {
    "{work_items}": ("operations", "runs"),
}
SWEEPS = {f"sweep_{name}": sweeping.make_sweep_query(name) for name in sweeping.OLD_ROWS}
COUNTS = {f"count_{table}": query for table, query in counts.BATCH_COUNTS.items()}
#: The generated queries of fan-outs' stages, by the fan-out and the number of the stage.
STAGES = {
    f"{what}_{number}": query
    for what, (_, stages) in fan_out._REGISTERED.items()
    for number, (query, _) in enumerate(stages)
    if query.startswith("SELECT")
}
#: Claims that belong to no queue: rows related to another claim, rows of a known account, and messages while
#: Slack is down.
CLAIMS = {
    "claim_gates_along": gates.ALONG_CLAIM,
    "claim_runs_of_account": runs.ACCOUNT_CLAIM,
    "claim_pending": notices.PENDING_CLAIM,
    "claim_unsure": notices.UNSURE_CLAIM,
}
CLAIMS |= {f"claim_{queue.name}": queue.claim for queue in DECLARED_QUEUES.values() if queue.is_claimed}


def gather_statements() -> dict[str, str]:
    """Return every statement. Statements for work items are returned twice: for operations and for runs."""
    found = {query: query for table in TABLES.values() for query in table.lookups()}
    for name, query in read_queries().items():
        word = next((word for word in WORDS if word in query), None)
        if word:
            found |= {f"{name} of {one}": query.replace(word, one) for one in WORDS[word]}
        else:
            found[name] = query
    counted = {f"count_{one.name}": one.count for one in DECLARED_QUEUES.values() if one.is_scheduled}
    found |= CLAIMS | SWEEPS | COUNTS | STAGES | counted | {"next_due": due_work.make_next_due_query()}
    # The caller chooses which columns to set. Use one that all tables have.
    changes = "connection = :connection"
    return {
        name: find_query(query.replace("{changes}", changes).replace("{same}", ""))
        for name, query in found.items()
    }
