"""The command line: ``usher COMMAND``. ``usher --help`` lists the commands.

Exit status: 0 for success, 1 for failure (a message says why), 2 for invalid settings or arguments.
"""

import argparse
import difflib
import gc
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.support.environment import PROGRAM_NAME, ensure_home, prepare_streams
from bot.support.release import RELEASE


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    prepare_streams()
    parser = _build_parser()
    arguments = parser.parse_args(sys.argv[1:] if words is None else words)
    if not arguments.run:
        arguments.parser.print_help()
        return 2
    # Only its owner may read files that this process creates (database, logs).
    os.umask(0o077)
    ensure_home()
    # Imported modules stay in memory anyway, so don't search them for reference cycles. That search takes an
    # eighth of the start-up time.
    gc.disable()
    from bot.commands import run  # noqa: PLC0415 - takes longer than parsing, and `--help` doesn't need it

    return run(arguments)


class _Parser(argparse.ArgumentParser):
    def _check_value(self, action: argparse.Action, value: str) -> None:
        if action.choices is not None and value not in action.choices:
            near = difflib.get_close_matches(str(value), map(str, action.choices), n=1)
            help_ = f"Did you mean {near[0]}?" if near else f"{self.prog} --help lists what there is."
            raise argparse.ArgumentError(action, f"there is no {value!r}. {help_}")


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM_NAME, description="Usher, a Slack bot for workspaces.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM_NAME} {RELEASE}")
    parser.set_defaults(run="", parser=parser)
    commands = parser.add_subparsers(metavar="COMMAND")

    def add(name: str, run: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run, parser=command)
        return command

    add("serve", "serving.serve", "run everything in one process").set_defaults(role="serve")
    web = "take requests and show pages; with PostgreSQL, beside others and at least one worker"
    add("web", "serving.serve", web).set_defaults(role="web")
    worker = "do the work in the background; with PostgreSQL, beside others and at least one web"
    add("worker", "serving.serve", worker).set_defaults(role="worker")
    add(
        "up", "up.up", "set Usher up in this folder, question by question, up to your first workspace"
    ).add_argument(
        "--no-serve",
        dest="serves",
        action="store_false",
        help="only write the settings and the connections file",
    )
    add("migrate", "database.migrate", "bring the database up to date").add_argument(
        "--same-data",
        dest="has_same_data",
        action="store_true",
        help="PostgreSQL was upgraded or moved, and nothing is lost: its new server is no failover",
    )
    add(
        "restored", "database.restored", "put a backup in place and hold everything it has planned"
    ).add_argument("file", type=Path, nargs="?", help="the backup; without it, one that is in place already")
    add(
        "doctor", "setting_up.doctor", "check the settings, Slack, the connections and the database"
    ).add_argument("--json", action="store_true", help="answer as one JSON object")
    showing = add(
        "demo", "demo.demo", "show Usher in a browser; needs the extra demo, except with --slack-only"
    )
    showing.add_argument("--once", action="store_true", help="play it by itself, without a browser")
    showing.add_argument("--light", action="store_true", help="tiny IDEs at the hub instead of JupyterLab")
    showing.add_argument("--port", type=int, help="the local Slack's; the others follow")
    showing.add_argument("--slack-only", action="store_true", help="the local Slack alone, for any Bolt app")
    showing.add_argument("--manifest", help="with --slack-only: the app's manifest; Usher's without it")
    showing.add_argument("--request-url", help="with --slack-only: where an app without Socket Mode listens")
    trying = add(
        "try",
        "try_connection.try_connection",
        "check a connection by starting a workspace with an account of your own",
    )
    trying.add_argument(
        "connection", metavar="CONNECTION", nargs="?", help="as the connections file names it"
    )
    trying.add_argument(
        "--set",
        metavar="NAME=VALUE",
        type=_parse_pair,
        action="append",
        default=[],
        help="a field of the form",
    )
    trying.add_argument("--yes", action="store_true", help="don't ask before anything is made")
    trying.add_argument("--report", type=Path, metavar="FILE", help="write what was seen, fit to be shown")
    add("docs", "pages.docs", "print a page of the manual, or say which there are").add_argument(
        "page", nargs="?", default="README", metavar="PAGE", help="such as operate or operate#backups"
    )
    manifest = add("manifest", "setting_up.manifest", "print the app manifest for Slack")
    manifest.add_argument("--url", help="the https address that Slack can reach; prints the HTTP form")
    manifest.add_argument(
        "--socket", action="store_true", help="print the Socket Mode form; add --url for Sign in with Slack"
    )
    manifest.add_argument(
        "--by-oauth",
        action="store_true",
        help="for several Slack workspaces, in which Usher is installed at /slack/install",
    )
    with_it = "let Slack's assistant call Usher; needs --url, without --socket"
    manifest.add_argument("--assistant", action="store_true", help=with_it)
    manifest.add_argument("--command", help="the slash command; that of USHER_COMMAND otherwise")
    manifest.add_argument("--job-command", help="that for jobs; that of USHER_JOB_COMMAND otherwise")
    keys = add("keys", "", "create or rotate encryption keys").add_subparsers(metavar="WHAT")
    keys.add_parser("new", help="print a new key").set_defaults(run="setting_up.new_key")
    rotating = keys.add_parser("rotate", help="encrypt every secret with the newest key")
    rotating.add_argument(
        "--forget",
        nargs="?",
        type=int,
        const=0,
        metavar="NUMBER",
        help="end the links that no key opens, and ask people to link again; more than a tenth of all only "
        "with their number",
    )
    rotating.set_defaults(run="database.rotate")
    _add_accounts(add("accounts", "", "link people to users").add_subparsers(metavar="WHAT"))
    _add_store(add("store", "", "back up or move the database").add_subparsers(metavar="WHAT"))
    _add_usage(add("usage", "usage.print_usage", "print what ran, from when to when, and for how many hours"))
    audit = add("audit", "", "check the record of who did what")
    _add_audit(audit.add_subparsers(metavar="WHAT"))
    # Commands without a help text aren't listed. There are two: one for developers, and the old name of a
    # command.
    for name, run in (("routes", "setting_up.routes"), ("init", "up.init")):
        commands.add_parser(name).set_defaults(run=run)
    return parser


def _add_usage(using: argparse.ArgumentParser) -> None:
    using.add_argument(
        "--from", dest="since", metavar="DAY", help="as 2026-11-01, in UTC; without it, this month"
    )
    using.add_argument("--to", dest="until", metavar="DAY", help="the day after the last one; or now")
    using.add_argument("--format", default="csv", metavar="csv|json", help="csv, or a JSON object a line")
    using.add_argument("--totals", action="store_true", help="only sums, by person, connection and template")


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verifying = commands.add_parser("verify", help="find the first bad row")
    verifying.add_argument(
        "--seen", type=_parse_seen_row, metavar="N:HASH", help="say whether row N has the hash that was noted"
    )
    verifying.set_defaults(run="database.verify_audit")
    exporting = commands.add_parser("export", help="print every row as JSON")
    exporting.set_defaults(run="database.print_audit")


def _add_accounts(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    importing = commands.add_parser(
        "import", help="link people to the users that a file names, after checking with the provider"
    )
    importing.add_argument("file", type=Path, help="CSV with the columns slack_user, connection, username")
    importing.add_argument("--apply", action="store_true", help="link them; without it nothing is written")
    importing.set_defaults(run="database.import_accounts")
    retiring = commands.add_parser("retire", help="end everybody's link on a connection that goes")
    retiring.add_argument("connection", help="its name, also if it isn't in the connections file any more")
    retiring.set_defaults(run="database.retire")
    commands.add_parser(
        "list", help="print who is linked to which user, and whether that was proven"
    ).set_defaults(run="database.list_accounts")


def _add_store(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    copying = commands.add_parser("copy", help="copy a SQLite file into an empty PostgreSQL database")
    copying.add_argument("source", help="sqlite:///PATH")
    copying.add_argument("target", help="postgresql://…, or file:PATH, env:NAME or credential:NAME")
    copying.set_defaults(run="store_copy.copy")
    saving = commands.add_parser("backup", help="copy a SQLite file into a new one, while Usher runs")
    saving.add_argument("file", type=Path, help="a new file")
    saving.set_defaults(run="database.backup")
    salvaging = commands.add_parser("save", help="save what a damaged SQLite file still has into a new one")
    salvaging.add_argument("file", type=Path, help="a new file")
    salvaging.set_defaults(run="database.save")


def _parse_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError("needs NAME=VALUE")
    return name.replace("-", "_"), value


def _parse_seen_row(text: str) -> tuple[int, str]:
    if not re.fullmatch(r"[1-9][0-9]{0,17}:[0-9a-f]{64}", text.lower(), re.ASCII):
        raise argparse.ArgumentTypeError("needs N:HASH, as `audit verify` prints them")
    seq, _, hash_ = text.lower().partition(":")
    return int(seq), hash_


if __name__ == "__main__":
    sys.exit(main())
