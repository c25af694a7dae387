"""Run pip-audit on the locked versions, and say so plainly if it couldn't check anything.

If pip-audit can't reach its data (offline, or behind a mirror that only serves packages), it either fails, or
passes without having checked anything. So it is first run on a version that is known to be vulnerable. Only
if it finds that one does its result on Usher's own versions mean anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "dev.txt"

#: This version has vulnerabilities published since 2021, so data that doesn't list them is empty.
KNOWN_BAD = "jinja2==2.11.2"
TIMEOUT_S = 300

#: A function that runs pip-audit on a file of exact versions with further options. It returns the exit
#: status, JSON and messages.
Audit = Callable[..., tuple[int, str, str]]


def run_pip_audit(requirements: Path, *options: str) -> tuple[int, str, str]:
    """Run pip-audit on a file of exact versions, and return its exit status, JSON and messages."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--progress-spinner=off"),
        *("--format=json", "--desc=off", f"--requirement={requirements}", *options),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return 1, "", f"pip-audit did not end within {TIMEOUT_S} s"
    return done.returncode, done.stdout, done.stderr


def find_vulnerable(report: str) -> dict[str, list[str]]:
    """Return each vulnerable package's vulnerabilities from a report, which may be empty."""
    if not report.strip():
        return {}
    return {
        f"{dependency['name']} {dependency['version']}": [found["id"] for found in dependency["vulns"]]
        for dependency in json.loads(report)["dependencies"]
        if dependency.get("vulns")
    }


def has_data(ask: Audit) -> bool:
    """Return whether pip-audit finds a well-known vulnerability."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder, "known-bad.txt")
        canary.write_text(KNOWN_BAD + "\n")
        return bool(find_vulnerable(ask(canary, "--no-deps")[1]))


def main(ask: Audit = run_pip_audit) -> int:
    """Print the findings, and return 1 if there are any, otherwise 0, even if the data can't be reached."""
    if not has_data(ask):
        print("pip-audit: NOT CHECKED: its data cannot be reached from here, so nothing was looked at.")
        return 0
    status, report, messages = ask(LOCK, "--require-hashes")
    for package, identifiers in sorted(find_vulnerable(report).items()):
        print(f"pip-audit: {package}: {', '.join(identifiers)}")
    if status:
        print(messages.strip() or f"pip-audit ended with status {status}", file=sys.stderr)
        return 1
    print("pip-audit: no known vulnerabilities in requirements/dev.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
