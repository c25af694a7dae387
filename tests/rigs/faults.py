"""Errors that a test makes a fake raise in a given method, before or after the call takes effect."""

from collections import defaultdict
from dataclasses import dataclass


@dataclass
class Fault:
    error: Exception
    times: int
    #: Whether the call takes effect before the error is raised.
    after: bool


class Faulty:
    """A fake that fails as configured by ``fail``.

    It raises these errors at the start or at the end of a call.
    """

    _faults: defaultdict[str, list[Fault]]

    def fail(self, method: str, error: Exception, times: int = 1, *, after: bool = False) -> None:
        self._faults[method].append(Fault(error, times, after))

    def _raise(self, method: str, *, after: bool) -> None:
        faults = self._faults[method]
        if faults and faults[0].after == after:
            fault = faults[0]
            fault.times -= 1
            if fault.times <= 0:
                faults.pop(0)
            raise fault.error
