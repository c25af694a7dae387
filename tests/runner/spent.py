"""What time is spent: by the clock, and of the processor with all processes that were started."""

import os
import resource
import sys
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Final

#: By the clock, and of the processor (seconds).
Spent = tuple[float, float]

#: How long a process ran, how long it waited to run (nanoseconds), and how often.
_SCHEDULED: Final = Path("/proc/self/schedstat")
_PROCESSES: Final = Path("/proc")
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")

#: What processes took that ended as children of somebody else's, by whom they were forked for this one.
_elsewhere = [0.0]


def elsewhere(seconds: float = 0.0) -> float:
    """Count what a process took that this one had somebody else fork; return what all of them took."""
    _elsewhere[0] += seconds
    return _elsewhere[0]


def of(used: resource.struct_rusage) -> float:
    """Return what a process took of the processor, with the children that it waited for."""
    return used.ru_utime + used.ru_stime


def ended() -> float:
    """Return what this process took of the processor, with the processes that have ended."""
    return time.process_time() + of(resource.getrusage(resource.RUSAGE_CHILDREN)) + _elsewhere[0]


def clock() -> float:
    """Return the time by the clock.

    What this process waited for its turn on a busy machine doesn't count, where the system tells it (Linux).
    """
    waited = float(_SCHEDULED.read_text().split()[1]) / 1e9 if _SCHEDULED.exists() else 0.0
    return time.perf_counter() - waited


def running(parent: int | None = None) -> float:
    """Return what the processes took that this one started, and that still run; nothing outside Linux."""
    took, children = {}, defaultdict(list)
    for one in _PROCESSES.glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name is in parentheses, and may hold anything.
            fields = one.read_text(errors="replace").rpartition(")")[2].split()
            pid = int(one.parent.name)
            took[pid] = sum(map(int, fields[11:15])) * _TICK
            children[int(fields[1])].append(pid)
    found = list(children[parent or os.getpid()])
    for pid in found:
        found.extend(children[pid])
    return sum(took[pid] for pid in found)


def name_of_ended(options: int) -> str:
    """Return what the child is called that is waited for next, if the system says so."""
    if sys.platform == "linux" and (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | options)):
        with suppress(OSError):
            return (_PROCESSES / str(ended.si_pid) / "comm").read_text(errors="replace").strip()
    return "processes"
