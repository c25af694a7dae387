"""``python -m playground NAME --port N [--seed FILE]``: run one local server alone, on 127.0.0.1."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil
import sys

import playground

#: Modules that are no servers.
SHARED = {"__main__", "faults", "guard", "harness", "pages", "processes", "values"}


def servers() -> list[str]:
    """Return the names of the servers and stories in this package, as typed on the command line."""
    found = {module.name for module in pkgutil.iter_modules(playground.__path__)}
    return sorted(name.replace("_", "-") for name in found - SHARED)


def main(words: list[str] | None = None) -> int:
    """Run the named server until it is told to stop; return the exit status."""
    words = sys.argv[1:] if words is None else words
    names = servers()
    first = argparse.ArgumentParser(prog="python -m playground", add_help=False)
    first.add_argument("server", choices=names, help="which server")
    if not words or words[0] in ("-h", "--help"):
        first.print_help()
        return 0 if words else 2
    name = first.parse_args(words[:1]).server
    try:
        return _run(name, words[1:])
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"playground {name}: {error}", file=sys.stderr)
        return 1


def _run(name: str, words: list[str]) -> int:
    module = importlib.import_module(f"playground.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"python -m playground {name}", description=module.__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed", help="JSON file that replaces what the server holds at start")
    module.add_arguments(parser)
    status = asyncio.run(module.run(parser.parse_args(words)))
    return status or 0


if __name__ == "__main__":
    sys.exit(main())
