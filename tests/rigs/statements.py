"""Every statement of the store by name: named ones, those by a key, and those made from declarations."""

from bot.store import due_work, gates, notices, runs
from bot.store.queues import DECLARED_QUEUES
from bot.store.statements import read_queries
from bot.store.tables import TABLES

#: What stands for one of several in a statement.
WORDS = {
    "{work_items}": ("operations", "runs"),
}
#: Claims that no queue makes: of what another claim found, of one that is known, or while Slack is away.
CLAIMS = {
    "claim_gates_along": gates.ALONG_CLAIM.statement,
    "claim_runs_of_account": runs.ACCOUNT_CLAIM.statement,
    "claim_pending": notices.PENDING_CLAIM.statement,
    "claim_unsure": notices.UNSURE_CLAIM.statement,
}
CLAIMS |= {f"claim_{queue.name}": queue.claim for queue in DECLARED_QUEUES.values() if queue.is_claimed}


def gather_statements() -> dict[str, str]:
    """Return every statement; what is asked of operations and runs is two."""
    found = {query: query for table in TABLES.values() for query in table.lookups()}
    for name, query in read_queries().items():
        word = next((word for word in WORDS if word in query), None)
        if word:
            found |= {f"{name} of {one}": query.replace(word, one) for one in WORDS[word]}
        else:
            found[name] = query
    counted = {f"count_{one.name}": one.count for one in DECLARED_QUEUES.values() if one.is_scheduled}
    found |= CLAIMS | counted | {"next_due": due_work.make_next_due_query()}
    # In place of the columns that a caller sets: one that every table has.
    changes = "connection = :connection"
    return {name: query.replace("{changes}", changes).replace("{same}", "") for name, query in found.items()}
