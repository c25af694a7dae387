"""Tests that play the Containerfile's steps without Docker, and start what they make.

Absolute paths are in a temporary folder. The running Python stands in for the base image, and locally
installed packages in the locked versions stand in for the index. There is no second user.
"""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from playground.processes import reserved_port
from tests.app.command_line import KEY
from tests.playground.slack_help import slack
from tests.project.deployment import instructions
from tests.project.locks import ENTRY, text_of
from tests.project.repository import ROOT, files, named

ABSOLUTE = re.compile(r"(?<![\w*.])/(?=[^/\s])")
#: Stand-ins for programs of the base image. Those that create users and groups only record their arguments.
PROGRAMS = {
    "/usr/local/bin/python": '[ "$2" != venv ] || set -- -m venv --without-pip "$3"; exec "$REAL" "$@"',
    "/usr/sbin/groupadd": 'echo "groupadd $*" >> "$NOTED"',
    "/usr/sbin/useradd": 'echo "useradd $*" >> "$NOTED"',
    "/usr/sbin/install": 'echo "install $*" >> "$NOTED"; exec mkdir -m "$7" -p "$8"',
}
BROUGHT = "/usr/local/lib/python3.11/site-packages/pip/__init__.py"


class Image:
    """A build stage: its files in a folder, and its instructions."""

    def __init__(self, root):
        self.root = root
        self.set = {}  # what ENV sets
        self.said = {}  # every other instruction's last words
        for name, line in PROGRAMS.items():
            self.write(name, f"#!/bin/sh\n{line}\n", 0o755)
        self.write(BROUGHT, "", 0o644)

    def inside(self, text):
        """Return a text whose absolute paths are moved into the folder."""
        return ABSOLUTE.sub(f"{self.root}/", text)

    def place(self, path):
        return Path(self.inside(path))

    def write(self, name, text, mode):
        self.place(name).parent.mkdir(parents=True, exist_ok=True)
        self.place(name).write_text(text)
        self.place(name).chmod(mode)

    @property
    def surroundings(self):
        """Return the environment variables of a process in the image."""
        path = f"{self.inside('/usr/local/bin')}:{self.inside('/usr/sbin')}:{os.defpath}"
        real = sys._base_executable  # type: ignore[attr-defined]
        ours = {"REAL": real, "NOTED": str(self.root / "noted"), "HOME": str(self.root)}
        return {
            "PATH": path,
            **ours,
            **{name: self.inside(text).replace("$PATH", path) for name, text in self.set.items()},
        }

    def command(self, instruction):
        """Return the command of an instruction, with the path of its program."""
        program, *words = json.loads(self.said[instruction].partition(" CMD ")[2] or self.said[instruction])
        return [shutil.which(program, path=self.surroundings["PATH"]) or program, *words]

    def copy(self, names, target):
        """Copy what is tracked."""
        for name in names:
            for path in files():
                if Path(named(path)).is_relative_to(name):
                    rest = Path(named(path)).relative_to(name) if (ROOT / name).is_dir() else path.name
                    put(path, self.place(self.said["WORKDIR"]) / target / rest)

    def run(self, line):
        """Run shell commands. Installing a lock copies the locally installed packages instead."""
        for command in line.split("&&"):
            if lock := re.search(r"-r requirements/(\w+)\.txt", command):
                lay(lock[1], self.place("/opt/usher"))
                continue
            done = subprocess.run(
                ["/bin/sh", "-ec", self.inside(command)],
                cwd=self.place(self.said.get("WORKDIR", "/.")),
                env=self.surroundings,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def put(path, copy):
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)


def lay(lock, environment):
    """Copy a lock's packages from this environment, and pip, which the base image has."""
    (site,) = environment.glob("lib/python3*/site-packages")
    pins = [(entry["pin"], " ; " in entry[0]) for entry in ENTRY.finditer(text_of(lock))]
    for pin, is_conditional in [*pins, (f"pip=={distribution('pip').version}", False)]:
        name, _, version = pin.partition("==")
        try:
            found = distribution(name)
        except PackageNotFoundError:
            assert is_conditional, f"{name} isn't installed here"
            continue
        assert found.version == version
        for path in found.files:
            if ".." not in path.parts and path.suffix != ".pyc":
                put(path.locate(), site / path)


@pytest.fixture
def image(tmp_path):
    """Play the instructions.

    All stages are built at the same place, as paths are written into their files.
    """
    root, before = tmp_path / "image", tmp_path / "before"
    for instruction, rest in instructions():
        words = shlex.split(rest)
        if instruction == "FROM":
            if root.exists():
                root.rename(before)
            made = Image(root)
        elif instruction == "COPY" and words[0].startswith("--from="):
            shutil.copytree(before / words[1].lstrip("/"), made.place(words[2]), symlinks=True)
        elif instruction == "COPY":
            made.copy(words[:-1], words[-1])
        elif instruction == "RUN":
            made.run(rest)
        elif instruction == "ENV":
            made.set |= dict(pair.split("=", 1) for pair in words)
        elif instruction != "ARG":
            made.said[instruction] = rest
            if instruction == "WORKDIR":
                made.place(rest).mkdir(parents=True, exist_ok=True)
    return made


def left(image):
    """Return the files outside the volume, each with its time of modification."""
    volume = image.place(image.said["VOLUME"])
    found = (path for path in image.root.rglob("*") if path.is_file() and not path.is_relative_to(volume))
    return {path: path.lstat().st_mtime_ns for path in found}


def is_whole(image):
    """Check that the user owns the volume, the pages are there, and no installer is left."""
    user, _, group = image.said["USER"].partition(":")
    volume = image.place(image.said["VOLUME"])
    noted = (image.root / "noted").read_text(encoding="utf-8").splitlines()
    assert [line.partition(" --gid usher ")[0] for line in noted] == [
        f"groupadd --gid {group} usher",
        f"useradd --uid {user}",
        f"install -d -o usher -g usher -m 0700 {volume}",
    ]
    assert (volume.stat().st_mode & 0o777, list(volume.iterdir())) == (0o700, [])
    python = [image.place("/opt/usher/bin/python"), "-c", "import pip"]
    tried = subprocess.run(python, capture_output=True, text=True, check=False)
    assert "No module named 'pip'" in tried.stderr
    assert not image.place(BROUGHT).exists()
    assert list(image.place("/opt/usher").glob("lib/python3*/site-packages/bot/docs"))


def settings(image, local, port):
    """Put secrets and connections where the platform would, and return the environment of a process."""
    held = {
        "slack_bot_token": local.credentials["bot_token"],
        "slack_signing_secret": local.credentials["signing_secret"],
        "usher_encryption_keys": KEY,
    }
    for name, value in held.items():
        image.write(f"{image.set['CREDENTIALS_DIRECTORY']}/{name}", value, 0o600)
    connection = '[connections.saturn]\nprovider = "saturn"\nbase_url = "https://app.acme.example"\n'
    image.write(image.set["USHER_CONNECTIONS"], connection, 0o644)
    return {
        **image.surroundings,
        **{name.upper(): f"credential:{name}" for name in held},
        "USHER_SLACK_API_URL": local.credentials["api_url"],
        "USHER_PUBLIC_URL": "https://usher.example.org",
        "USHER_HOST": "127.0.0.1",
        "PORT": str(port),
    }


@asynccontextmanager
async def serving(image, given):
    """Run the image's command until it is ready, and end it as a platform does."""
    words = [*image.command("ENTRYPOINT"), *image.command("CMD")]
    volume, log = image.place(image.said["WORKDIR"]), b""
    process = await asyncio.create_subprocess_exec(*words, cwd=volume, env=given, stderr=subprocess.PIPE)
    try:
        async with asyncio.timeout(60):
            while b'"event": "ready"' not in log:
                log += (line := await process.stderr.readline())
                assert line, log.decode()
        yield
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_what_the_steps_make_serves_and_writes_into_its_volume_only(image):
    is_whole(image)
    async with slack() as (local, _client):
        given = settings(image, local, reserved_port())
        before = left(image)
        async with serving(image, given):
            check = await asyncio.create_subprocess_exec(*image.command("HEALTHCHECK"), env=given)
            assert await check.wait() == 0
    assert left(image) == before
    assert image.place("/var/lib/usher/usher.db").exists()
