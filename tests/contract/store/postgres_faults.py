"""Ways to break connections to a PostgreSQL database."""

from bot.store.postgres_session import PostgresSession
from tests.rigs import postgres


def cut(url, pid):
    """End a connection, as a network fault or an administrator would, and wait until it is gone."""
    with postgres.connected(url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def cut_at_commit(session: PostgresSession, when: str) -> None:
    """Lose the connection once, just ``before`` or just ``after`` the server commits."""
    transaction = session.transaction
    send = transaction._send

    def cut_then_send(statement, params=()):
        if statement != b"COMMIT":
            return send(statement, params)
        transaction._send = send
        if when == "after":
            send(statement, params)
            transaction._sync()
        cut(session._url, transaction.connection.info.backend_pid)
        return send(b"SELECT 1")

    transaction._send = cut_then_send
