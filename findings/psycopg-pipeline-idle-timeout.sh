#!/usr/bin/env bash
# psycopg 3.3.9: in a pipeline, a transaction that idles isn't ended by the idle timeout
#
# Expected: idle_in_transaction_session_timeout ends a transaction whose client sends
#   nothing any more, so that its locks are free again. In a pipeline, this should be no
#   different: the statements that have arrived are done, and the server waits for the
#   client.
# Seen: A session becomes "idle in transaction" only when the client ends its batch with
#   a Sync message. psycopg sends each statement of a pipeline at once, but Sync only when
#   the block ends or a result is needed. Until then, the session counts as active, and
#   neither this timeout nor statement_timeout runs: the first statement is over. With
#   both at 1 s, the lock is still held after 4 s. After pipeline.sync(), the same
#   transaction is ended within 4 s.
# Why it matters: A program that is suspended between two statements of a pipeline, or
#   whose proxy keeps the server's end open, holds its locks for as long as that lasts,
#   although the timeouts seem to exclude this. From PostgreSQL 17 on, transaction_timeout
#   runs in this case, too.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  psycopg==3.3.9 psycopg-binary==3.3.9 pgserver==0.1.4

cat >"$work/idle.py" <<'PYTHON'
import sys
import time

import pgserver
import psycopg

HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"


def is_held_after(uri, synced):
    """Return whether a transaction that idles for 4 seconds still has its lock, and its state."""
    with psycopg.connect(uri, autocommit=True) as watching:
        idle = psycopg.connect(uri, autocommit=True)
        idle.execute("SET idle_in_transaction_session_timeout = '1s'")
        idle.execute("SET statement_timeout = '1s'")
        state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
        try:
            with idle.pipeline() as pipeline:
                idle.execute("BEGIN")
                idle.execute("SELECT pg_advisory_xact_lock(42)")
                if synced:
                    pipeline.sync()
                time.sleep(0.5)
                found = watching.execute(state, (idle.info.backend_pid,)).fetchone()[0]
                time.sleep(4)
                held = watching.execute(HELD).fetchone()[0] == 1
                idle.execute("ROLLBACK")
        except psycopg.OperationalError:
            pass
        idle.close()
        return held, found


with pgserver.get_server(sys.argv[1], cleanup_mode="stop") as server:
    for synced in (False, True):
        held, state = is_held_after(server.get_uri(), synced)
        print(f"  {'with' if synced else 'without'} sync: {state}, lock {'held' if held else 'free'} after 4 s")
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/idle.py" "$work/data" 2>"$work/said")"

echo "psycopg 3.3.9 with PostgreSQL 16.2 of pgserver 0.1.4, idle timeout of 1 s in a pipeline"
echo "Expected: the lock is free after 4 s, with or without sync."
echo "Seen:"
echo "$seen"
wanted="  without sync: active, lock held after 4 s
  with sync: idle in transaction, lock free after 4 s"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
