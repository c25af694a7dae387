"""The end of every connection to a PostgreSQL database."""

from tests.rigs import postgres


def cut(url, pid):
    """End a connection, as a network or an administrator would, and wait until it has ended."""
    with postgres.connected(url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
