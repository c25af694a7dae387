"""An installation in which tests run the commands of the documentation.

``sh`` runs each command as it is written, except for the parts that ``STAND_INS`` replaces. Scripts in the
folder ``bin`` stand in for programs of a server or a container runtime. ``usher`` runs the release that the
link ``release`` points to.
"""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from tests.project.repository import ROOT

#: Parts of commands that can't run here, and their replacements. A comment above each group says why.
STAND_INS: Final = (
    # In tests, systemd isn't process 1, and the test has its own user and folder.
    (r"\busher-run ", "usher "),
    (r"systemctl stop 'usher@\*'", "stop-usher"),
    (r"systemctl start usher@serve", "start-usher"),
    # Releases aren't downloaded or built. The new release's tree replaces the old one.
    (r"/opt/usher/bin/pip install --no-deps --force-reinstall \S+\.whl", 'install-usher "$RELEASE"'),
    (r"git checkout (?:v[\d.]+|':/\^Release [\d.]+')", 'install-usher "$RELEASE"'),
    (r"docker build -f deploy/Containerfile -t usher \.", 'install-usher "$RELEASE"'),
    (r"docker compose build", 'install-usher "$RELEASE"'),
    # There are no images and no cluster. Programs of containers run on this machine instead.
    (r"docker run --detach (?:.|\n)* usher$", "start-usher"),
    (r"docker exec usher ", ""),
    (r"docker run --rm --volumes-from usher --env-file usher\.env usher ", "usher "),
    (r"docker stop usher", "stop-usher"),
    (r"docker start usher", "start-usher"),
    (r"docker rm usher", "true"),
    (r"docker compose exec -T --env PGUSER=usher database ", "env PGUSER=usher "),
    (r"docker compose exec -T database ", ""),
    (r"docker compose run --rm worker ", "usher "),
    (r"docker compose stop web worker", "stop-usher"),
    (r"docker compose up --detach", "start-usher"),
    (r"kubectl exec usher-0 -- ", ""),
    (r"kubectl get (?:statefulset/usher|deployment/usher-worker) --output=json", "cat runs.json"),
    (r"kubectl apply -f -", "run-pod"),
    (r"kubectl apply -f deploy/\S+", 'stop-usher && install-usher "$RELEASE" && start-usher'),
    (r"kubectl set image \S+ (?:usher|web|worker)=\S+", 'install-usher "$RELEASE"'),
    (r"kubectl wait --for=jsonpath='\{\.status\.phase\}'=Succeeded \S+ pod/usher-restored", "cat pod.done"),
    (r"kubectl logs usher-restored", "cat pod.log"),
    (r"kubectl delete pod/usher-restored", "rm pod.done"),
    (r"kubectl scale statefulset/usher --replicas=0", "stop-usher"),
    (r"kubectl scale statefulset/usher --replicas=1", "start-usher"),
    (r"kubectl scale deployment/usher-web deployment/usher-worker --replicas=0", "stop-usher"),
    (r"kubectl scale deployment/usher-web deployment/usher-worker --replicas=2", "start-usher"),
)
#: Programs that change the machine itself. None of them may remain in a command that is run.
_FORBIDDEN: Final = re.compile(r"\b(?:docker|podman|kubectl|systemctl|sudo|git|pip)\b")

_USHER: Final = f"""\
#!/bin/sh
PYTHONPATH="$FOLDER/release" exec {shlex.quote(sys.executable)} -P -m bot "$@"
"""
_INSTALL: Final = """\
#!/bin/sh
exec ln -sfn "$1" "$FOLDER/release"
"""
_START: Final = f"""\
#!{sys.executable}
import os, pathlib, subprocess, sys, time, urllib.request
folder = pathlib.Path(os.environ["FOLDER"])
with (folder / "usher.log").open("ab") as log:
    process = subprocess.Popen(["usher", "serve"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
(folder / "usher.pid").write_text(str(process.pid))
ready = f"http://127.0.0.1:{{os.environ['PORT']}}/readyz"
for _ in range(600):
    if process.poll() is not None:
        sys.exit((folder / "usher.log").read_text()[-4000:])
    try:
        urllib.request.urlopen(ready, timeout=5).close()
    except OSError:
        time.sleep(0.1)
    else:
        sys.exit(0)
process.kill()
sys.exit("it isn't ready: " + (folder / "usher.log").read_text()[-4000:])
"""
_STOP: Final = f"""\
#!{sys.executable}
import os, pathlib, psutil, sys, time
file = pathlib.Path(os.environ["FOLDER"], "usher.pid")
if not file.exists():
    sys.exit(0)
try:
    process = psutil.Process(int(file.read_text()))
    process.terminate()
    for _ in range(300):
        if process.status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.1)
    else:
        sys.exit("it still runs")
except psutil.NoSuchProcess:
    pass
file.unlink()
"""
#: A pod that runs once: runs ``usher`` with its arguments, in Usher's folder.
_POD: Final = f"""\
#!{sys.executable}
import json, os, pathlib, subprocess, sys
folder, pod = pathlib.Path(os.environ["FOLDER"]), json.load(sys.stdin)
(container,) = pod["spec"]["containers"]
with (folder / "pod.log").open("wb") as log:
    status = subprocess.run(["usher", *container["args"]], cwd=folder, stdout=log, stderr=log).returncode
if status == 0:
    (folder / "pod.done").touch()
"""
_SCRIPTS: Final = {
    "usher": _USHER,
    "install-usher": _INSTALL,
    "start-usher": _START,
    "stop-usher": _STOP,
    "run-pod": _POD,
}


@dataclass(frozen=True, slots=True)
class EndedCommand:
    """A command's exit status and output."""

    status: int
    output: str


class Installation:
    """A folder with Usher's database and settings, in which tests run the documentation's commands."""

    def __init__(self, folder: Path, variables: Mapping[str, str], programs: Sequence[Path] = ()) -> None:
        self.folder = folder
        scripts = folder / "bin"
        scripts.mkdir(exist_ok=True)
        for name, text in _SCRIPTS.items():
            (scripts / name).write_text(text)
            (scripts / name).chmod(0o755)
        path = ":".join(map(str, [scripts, *programs, os.environ["PATH"]]))
        self.variables = {**variables, "PATH": path, "FOLDER": str(folder), "HOME": str(folder)}

    def install(self, tree: Path) -> None:
        """Install a release from its source tree."""
        self.choose(tree)
        self.run('install-usher "$RELEASE"')

    def choose(self, tree: Path) -> None:
        """Choose the release that the next commands install."""
        self.variables["RELEASE"] = str(tree)

    def describe_pods(self, name: str, kind: str) -> None:
        """Write the description of an object in ``deploy/kubernetes``, as a cluster would return it."""
        objects = yaml.safe_load_all((ROOT / "deploy/kubernetes" / name).read_text(encoding="utf-8"))
        (found, *_) = (one for one in reversed(list(objects)) if one["kind"] == kind)
        (self.folder / "runs.json").write_text(json.dumps(found))

    def run(self, command: str, **changes: str) -> EndedCommand:
        """Run a command as the documentation has it, apart from the stand-ins."""
        for part, instead in STAND_INS:
            command = re.sub(part, instead, command)
        assert not _FORBIDDEN.search(command), f"nothing stands for a part of it: {command}"
        words = ["sh", "-c", command]
        environment = self.variables | changes
        ended = subprocess.run(
            words,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        return EndedCommand(ended.returncode, ended.stdout.decode())

    async def follow(self, commands: Sequence[str]) -> str:
        """Run commands one after the other, and return their output. Fail at the first that fails."""
        written = ""
        for command in commands:
            ended = await asyncio.to_thread(self.run, command)
            assert ended.status == 0, f"{command}\n{ended.output}"
            written += ended.output
        return written

    def run_code(self, code: str, *words: str) -> None:
        """Run Python code with the installed release's modules."""
        given = {**self.variables, "PYTHONPATH": os.fspath(self.folder / "release")}
        command = [sys.executable, "-P", "-c", code, *words]
        ended = subprocess.run(
            command, cwd=self.folder, env=given, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, ended.stderr
