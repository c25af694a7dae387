"""Links of a release that didn't say how they were made: the record of who did what says it."""

import sqlite3
from contextlib import closing

from bot.domain.accounts import APPROVED_SECONDS
from bot.store import schema
from bot.store.transaction import as_json

#: What the record says of each person's links, oldest first.
LINKED = {
    "UTOKEN": ["code"],
    "UADMIN": ["administrator"],
    "UFILE": ["import"],
    "UPROVED": ["administrator", "sign_in"],
    "UASKED": ["sign_in", "administrator"],
    "ULOST": [],
}


def test_each_link_says_how_it_was_made_and_what_nobody_proved_ends():
    scripts = schema.migrations()
    with closing(sqlite3.connect(":memory:")) as database:
        for name, script in scripts.items():
            if name == "0007_made_by":
                fill(database)
            database.executescript(script)
        found = database.execute("SELECT principal, made_by, ends_at, remind_at FROM accounts").fetchall()
    last = float(sum(map(len, LINKED.values())))
    ends = (last + APPROVED_SECONDS, last + APPROVED_SECONDS - 7 * 86_400.0)
    assert {principal.split(":")[2]: tuple(rest) for principal, *rest in found} == {
        "UTOKEN": ("token", None, None),
        "UADMIN": ("approval", *ends),
        "UFILE": ("import", *ends),
        "UPROVED": ("token", None, None),
        "UASKED": ("approval", *ends),
        "ULOST": ("", None, None),
    }


def fill(database):
    """Link everybody, with the entries as that release wrote them."""
    seq = 0
    for user, proofs in LINKED.items():
        principal = f"-:T1:{user}"
        database.execute(
            "INSERT INTO accounts (id, principal, connection, username, secret, state, linked_at) "
            "VALUES (?, ?, 'saturn', ?, '', 'active', 1)",
            (user, principal, user.lower()),
        )
        for proof in proofs:
            seq += 1
            detail = as_json({"account": user, "username": user.lower(), "proof": proof})
            database.execute(
                "INSERT INTO audit (seq, at, actor, action, target, result, detail, previous_hash, hash) "
                "VALUES (?, ?, 'somebody', 'account.linked', ?, 'ok', ?, '', '')",
                (seq, float(seq), f"{principal}/saturn", detail),
            )
