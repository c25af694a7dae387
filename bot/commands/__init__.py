"""The commands, each imported when it runs: its room says what it needs, and `--help` needs none of it."""

import argparse
import gc
import os
import pkgutil
import signal
import sys

from bot.support.environment import load_env_file
from bot.support.errors import NotDone, StoreError
from bot.support.settings import SettingsError


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was parsed; return the exit status."""
    try:
        _load_env_file()
        command = pkgutil.resolve_name(f"{__name__}.{arguments.run}")
        # What was imported stays.
        gc.freeze()
        gc.enable()
        status: int = command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough, as ``head`` does. What is left of it must not fail at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except SettingsError as wrong:
        complain("These settings need fixing:", *(f"  {problem}" for problem in wrong.problems))
        return 2
    except (NotDone, StoreError) as failed:
        complain(str(failed))
        return 1
    except OSError as failed:
        complain(f"Usher can't start: {failed.strerror or failed}")
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _load_env_file() -> None:
    try:
        load_env_file()
    except ValueError as wrong:
        raise SettingsError([str(wrong)]) from None


def complain(*lines: str) -> None:
    """Write to standard error."""
    print("\n".join(lines), file=sys.stderr)
