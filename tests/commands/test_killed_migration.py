"""Tests of killing ``usher migrate`` on PostgreSQL at any moment: it did nothing, or everything."""

import random
import subprocess
import sys
from time import monotonic, sleep

from bot.store.schema import read_migrations
from tests.app.command_line import environment
from tests.rigs import postgres

MOMENTS = 6
_TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()"
_LEFT = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'usher' AND datname = current_database()"


def migrating(url, tmp_path):
    env = environment(tmp_path, USHER_DATABASE_URL=url)
    words = [sys.executable, "-m", "bot", "migrate"]
    return subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def found(url):
    """Return the numbers of tables and migrations, once the server has noticed that the process ended."""
    with postgres.connected(url) as connection:
        while connection.execute(_LEFT).fetchone():
            sleep(0.02)
        (tables,) = connection.execute(_TABLES).fetchone()
        return tables, connection.execute("SELECT count(*) FROM migrations").fetchone()[0] if tables else 0


def begun(url):
    """Wait until one of the process's connections has begun the migration."""
    with postgres.connected(url) as connection:
        while not connection.execute(f"{_LEFT} AND backend_xid IS NOT NULL").fetchone():
            sleep(0.005)


def test_a_killed_migration_leaves_all_or_nothing(tmp_path):
    url = postgres.new_database("usher_killed")
    running = migrating(url, tmp_path)
    begun(url)
    began = monotonic()
    assert running.wait() == 0
    takes, whole = monotonic() - began, found(url)
    assert whole[1] >= len(read_migrations())
    drawn = random.Random(95)
    for _ in range(MOMENTS):
        url = postgres.new_database("usher_killed")
        running = migrating(url, tmp_path)
        begun(url)
        sleep(drawn.random() * takes)
        running.kill()
        running.wait()
        assert found(url) in ((0, 0), whole)
        running = migrating(url, tmp_path)
        assert running.wait() == 0
        assert found(url) == whole
