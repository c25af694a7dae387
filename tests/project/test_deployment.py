"""Tests that the deployment files fit the settings, the commands and each other."""

import asyncio
import configparser
import json
import os
import re
import shlex
import socket
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from subprocess import run

import jsonschema
import pytest
import yaml
from aiohttp import ClientSession, web

from bot.__main__ import _build_parser
from bot.app import DRAIN_SECONDS
from bot.support.addresses import find_local_origin
from bot.support.settings import VARIABLES, find_unknown_variables
from bot.web.app import listening
from tests.project.deployment import DEPLOY, instructions, list_service_variables
from tests.project.repository import ROOT
from tests.rigs import programs

PINNED = re.compile(r"docker\.io/library/[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if name != "database"}
UNIT = DEPLOY / "systemd/usher@.service"
RUN = DEPLOY / "systemd/usher-run"
PAGE = (ROOT / "docs/install.md").read_text(encoding="utf-8")
CONTAINERS = (ROOT / "docs/containers.md").read_text(encoding="utf-8")


def said(word: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == word]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in said("ENV") for pair in shlex.split(line))


def is_command(words: list[str]) -> bool:
    try:
        return bool(_build_parser().parse_args(words))
    except SystemExit:
        return False


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def unit(path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(path)
    return parser


def test_the_image_stands_on_one_pinned_base_and_packages_with_hashes():
    (base,) = said("ARG")
    assert PINNED.fullmatch(base.removeprefix("PYTHON="))
    assert [line.split()[0] for line in said("FROM")] == ["${PYTHON}"] * 2
    installs = [line for line in said("RUN") if "pip install" in line]
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert "pip uninstall --yes" in installs[-1]


def test_the_image_runs_a_command_of_ours_as_nobody_special():
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", said("USER")[-1])
    assert json.loads(said("ENTRYPOINT")[0]) == ["usher"]
    assert is_command(json.loads(said("CMD")[0]))
    known = VARIABLES.keys() | {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH", "CREDENTIALS_DIRECTORY"}
    assert environment().keys() <= known
    assert said("EXPOSE") == [environment()["PORT"]]
    assert said("VOLUME") == said("WORKDIR")[-1:]
    assert environment()["USHER_DATABASE_URL"] == f"sqlite:///{said('VOLUME')[0]}/usher.db"


def test_what_the_image_is_built_from_is_there_and_nothing_else_is_sent():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = {word for line in said("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert "*" in lines
    assert copied == sent
    assert all((ROOT / name).exists() for name in sent)


@pytest.mark.parametrize(("status", "wanted"), [(200, 0), (503, 1)])
def test_the_health_check_asks_whether_it_is_alive(status, wanted):
    asked = []

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words):
            pass

    command = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        port = str(server.server_port)
        ended = run([sys.executable, *command[1:]], env={"PORT": port}, timeout=30, check=False)
        serving.join()
    assert (ended.returncode, asked) == (wanted, ["/healthz"])


#: Addresses to listen on, each with an address at which it can then be reached.
LISTENED = [
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.2", "127.0.0.2"),
    ("0.0.0.0", "127.0.0.1"),
    ("localhost", "127.0.0.1"),
    ("::1", "::1"),
    ("::", "::1"),
    ("::", "127.0.0.1"),
    ("::0", "127.0.0.1"),
]


@pytest.mark.parametrize(("host", "reached"), LISTENED)
async def test_health_check_asks_the_address_that_is_listened_on(host, reached):
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")

    async def alive(_request):
        return web.Response()

    app = web.Application()
    app.router.add_get("/healthz", alive)
    command = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])
    async with listening(app, host, 0) as port:
        given = {"USHER_HOST": f"{host} ", "PORT": str(port)}
        checking = await asyncio.create_subprocess_exec(sys.executable, *command[1:], env=given)
        assert await asyncio.wait_for(checking.wait(), 30) == 0
        _, writer = await asyncio.open_connection(reached, port)
        writer.close()
        async with ClientSession() as session, session.get(f"{find_local_origin(host, port)}/healthz") as got:
            assert got.status == 200


def test_compose_runs_pinned_images_and_ours():
    assert all(service["build"]["dockerfile"] == "deploy/Containerfile" for service in OURS.values())
    assert PINNED.fullmatch(COMPOSE["services"]["database"]["image"])


@pytest.mark.parametrize("name", OURS)
def test_a_service_has_settings_of_ours_and_no_more_rights_than_it_needs(name):
    service = OURS[name]
    assert is_command(shlex.split(service["command"]))
    assert service["environment"].keys() <= VARIABLES.keys()
    named = {str(value).removeprefix("credential:") for value in service["environment"].values()}
    assert named == set(service["secrets"]) <= COMPOSE["secrets"].keys()
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert seconds(service["stop_grace_period"]) > DRAIN_SECONDS + 2
    (mounted,) = service["volumes"]
    assert mounted.split(":")[1] == environment()["USHER_CONNECTIONS"]
    for port in service.get("ports", ()):
        address, published, target = port.split(":")
        assert (address, target) == ("127.0.0.1", environment()["PORT"])
        first, _, last = published.partition("-")
        assert int(last) - int(first) + 1 == service["scale"]


KUBERNETES = {
    path.stem: list(yaml.safe_load_all(path.read_text())) for path in (DEPLOY / "kubernetes").iterdir()
}
SCHEMA = json.loads((ROOT / "tests/project/schemas/kubernetes.1.37.0.json").read_text(encoding="utf-8"))
#: Every object that runs something, with the name of its file.
RUNS = [(name, one) for name, parts in KUBERNETES.items() for one in parts if "template" in one["spec"]]


@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_takes_what_is_to_be_applied(name):
    for one in KUBERNETES[name]:
        kind = SCHEMA["kinds"][f"{one['apiVersion']} {one['kind']}"]
        validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]})
        assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(one)] == []
    assert len({(one["kind"], one["metadata"]["name"]) for one in KUBERNETES[name]}) == len(KUBERNETES[name])


@pytest.mark.parametrize(("name", "one"), RUNS, ids=[one["metadata"]["name"] for _, one in RUNS])
def test_a_pod_runs_the_image_as_compose_does(name, one):
    spec, pod = one["spec"], one["spec"]["template"]["spec"]
    (runs,) = pod["containers"]
    assert is_command(runs["args"])
    assert (spec["replicas"] == 1) is (runs["args"] == ["serve"])
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    # The selectors of services and disruption budgets match pods in the same file.
    labels = [run["spec"]["selector"]["matchLabels"].items() for file, run in RUNS if file == name]
    found = [other["spec"]["selector"] for other in KUBERNETES[name]]
    assert all(any(each.get("matchLabels", each).items() <= of for of in labels) for each in found)
    settings = {each["name"]: each["value"] for each in runs["env"]}
    assert settings.keys() <= VARIABLES.keys()
    assert {value.partition(":")[0] for value in settings.values()} == {"credential"}
    # Processes that share a database need its URL. A stateful set has a file on its volume instead.
    assert ("USHER_DATABASE_URL" in settings) is (one["kind"] == "Deployment")
    mounted = {each["mountPath"]: each["name"] for each in runs["volumeMounts"]}
    assert mounted["/etc/usher"] == "connections"
    assert mounted[environment()["CREDENTIALS_DIRECTORY"]] == "secrets"
    assert (said("VOLUME")[0] in mounted) is (one["kind"] == "StatefulSet")
    volumes = {each["name"]: each for each in pod["volumes"]} | dict.fromkeys(
        each["metadata"]["name"] for each in spec.get("volumeClaimTemplates", ())
    )
    assert set(mounted.values()) == volumes.keys()
    # Usher refuses files that others may write. Some YAML parsers read 0440 as the decimal 440.
    assert not re.search(
        r"defaultMode: 0\d", "".join(one.read_text() for one in (DEPLOY / "kubernetes").iterdir())
    )
    assert (
        not (volumes["secrets"]["secret"]["defaultMode"] | volumes["connections"]["configMap"]["defaultMode"])
        & 0o022
    )
    user, limits = pod["securityContext"], runs["securityContext"]
    assert [f"{user['runAsUser']}:{user['runAsGroup']}"] == said("USER")
    assert user["fsGroup"] == user["runAsGroup"]
    assert (limits["readOnlyRootFilesystem"], limits["capabilities"]) == (True, {"drop": ["ALL"]})
    assert not pod["automountServiceAccountToken"]
    assert pod["terminationGracePeriodSeconds"] > DRAIN_SECONDS + 2
    assert runs["ports"] == [{"name": "http", "containerPort": int(environment()["PORT"])}]
    # tests/scenarios/test_probes.py tests the answers to Kubernetes' probes.
    assert {probe["httpGet"]["port"] for name, probe in runs.items() if name.endswith("Probe")} == {"http"}


@pytest.mark.parametrize("name", KUBERNETES)
def test_variables_of_the_service_are_no_wrong_settings(name):
    """The variables that Kubernetes sets for Usher's service are no settings.

    This holds for Usher's own pods, and for other pods in the same namespace.
    """
    (service,) = [one for one in KUBERNETES[name] if one["kind"] == "Service"]
    ports = {port["name"]: port["port"] for port in service["spec"]["ports"]}
    given = list_service_variables(service["metadata"]["name"], ports)
    assert any(variable.startswith("USHER_") for variable in given)
    assert find_unknown_variables(given, VARIABLES) == ({}, [])
    pods = [one["spec"]["template"]["spec"] for file, one in RUNS if file == name]
    assert [pod["enableServiceLinks"] for pod in pods] == [False] * len(pods)


@pytest.mark.parametrize("one", [one for _, one in RUNS], ids=lambda one: one["metadata"]["name"])
def test_pods_of_two_releases_never_serve_at_once(one):
    """A stateful set with one replica never has two pods."""
    strategy = one["spec"].get("strategy", {}).get("type")
    assert (one["kind"], strategy) in {("Deployment", "Recreate"), ("StatefulSet", None)}


def test_the_unit_runs_each_role_as_a_user_of_its_own():
    text = UNIT.read_text(encoding="utf-8")
    service = unit(UNIT)["Service"]
    assert service["ExecStart"] == "/opt/usher/bin/usher %i"
    named = set(re.findall(r"usher@(\w+)", text + PAGE))
    assert named == {"serve", "web", "worker"}
    assert all(is_command([name]) for name in named)
    assert (service["DynamicUser"], service["UMask"], service["NoNewPrivileges"]) == ("yes", "0077", "yes")
    assert service["LimitCORE"] == "1"
    # ProcSubset hides the id of the machine's boot, so the unit file passes it on.
    assert service["ProcSubset"] == "pid"
    assert "Environment=BOOT_ID=%b" in text
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "2")
    assert seconds(service["TimeoutStopSec"]) > DRAIN_SECONDS + 2
    files = re.findall(r"^EnvironmentFile=-?(.*)$", text, re.MULTILINE)
    assert all(file.replace("%i", "worker") in PAGE for file in files)
    prefix = service["LoadCredential"].partition(":")[0]
    assert {name for name in re.findall(r"=credential:(\w+)", PAGE) if not name.startswith(prefix)} == set()


def test_other_commands_run_as_the_unit_does(tmp_path):
    runs = tmp_path / "systemd-run"
    runs.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    runs.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    words = ["sh", str(RUN), "store", "backup", "a b.db"]
    ended = run(words, env={"PATH": path}, capture_output=True, text=True, timeout=30, check=True)
    given = ended.stdout.splitlines()
    assert given[-4:] == ["/opt/usher/bin/usher", "store", "backup", "a b.db"]
    properties = [after for before, after in pairwise(given[:-4]) if before == "-p"]
    lines = UNIT.read_text(encoding="utf-8").replace("%S", "/var/lib").splitlines()
    assert set(properties) <= set(lines)
    service = unit(UNIT)["Service"]
    needed = [name for name in service if name.startswith(("State", "Working", "Load", "Environment"))]
    assert {one.partition("=")[0] for one in properties} == {*needed, "DynamicUser", "User", "UMask"}
    assert "deploy/systemd/usher-run" in PAGE


def has_run(folder: Path, words: list[str], environment: Mapping[str, str]) -> bool:
    """Return whether a command failed, or ran code from its working folder, to which it may write."""
    (folder / "structlog.py").write_text(
        "import pathlib; pathlib.Path('code').touch(); from logging import *"
    )
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    ended = run([*words, "keys", "new"], cwd=folder, env=given, capture_output=True, timeout=30, check=False)
    return ended.returncode != 0 or (folder / "code").exists()


def test_the_folder_that_they_may_write_is_not_code_at_the_next_start(tmp_path):
    """Usher never runs code from a folder that it may write to.

    This is true of the script and, with the environment of the unit or the image, of ``python -m bot`` in
    that folder, which was once recommended.
    """
    script, module = [str(Path(sys.executable).with_name("usher"))], [sys.executable, "-m", "bot"]
    given = re.findall(r"^Environment=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    in_unit = dict(pair.split("=", 1) for pair in given)
    in_image = {name: value for name, value in environment().items() if name.startswith("PYTHON")}
    assert not has_run(tmp_path, script, {})
    assert not has_run(tmp_path, module, in_unit)
    assert not has_run(tmp_path, module, in_image)
    assert has_run(tmp_path, module, {}), "nothing was tried: this is what the setting is for"


def test_the_page_names_settings_that_exist():
    assert set(re.findall(r"\b(?:USHER|SLACK)_[A-Z_]+\b|\bPORT\b", PAGE + CONTAINERS)) <= VARIABLES.keys()


BACKUPS = PAGE + CONTAINERS + (ROOT / "docs/upgrade.md").read_text(encoding="utf-8")
#: How Usher's commands begin on each platform in docs/incidents.md.
BEGINS = {
    "systemd": r"usher-run ",
    "Docker": r"docker (?:exec usher usher|run --rm --volumes-from usher --env-file usher\.env usher) ",
    "Compose": r"docker compose run --rm worker ",
    "Kubernetes": r"kubectl exec usher-0 -- usher ",
    "a shell": r"`usher ",
}


def test_backups_are_made_and_restored_on_each_platform_that_incidents_knows():
    table = (ROOT / "docs/incidents.md").read_text(encoding="utf-8").partition("| Usher runs in |")[2]
    assert re.findall(r"^\| (\w[^|]*?) \| `", table.partition("\n\n")[0], re.MULTILINE) == list(BEGINS)
    for platform, begins in BEGINS.items():
        written = [
            shlex.split(one) for one in re.findall(rf"{begins}((?:store backup|restored)[^`\n&]*)", BACKUPS)
        ]
        assert written, platform
        assert all(map(is_command, written)), platform


def test_a_restore_on_kubernetes_is_a_pod_like_that_which_serves():
    programs.require("jq")
    (served,) = (one for one in KUBERNETES["one-process"] if one["kind"] == "StatefulSet")
    words = shlex.split(re.search(r"\| (jq .*?) \| kubectl apply", BACKUPS, re.DOTALL)[1])
    ended = run(words, input=json.dumps(served), capture_output=True, text=True, timeout=30, check=True)
    pod = json.loads(ended.stdout)["spec"]
    (runs,), (serves,) = pod["containers"], served["spec"]["template"]["spec"]["containers"]
    assert is_command(runs["args"])
    assert runs["args"][0] == "restored"
    changed = {"args", "startupProbe", "livenessProbe", "readinessProbe"}
    assert {name for name, value in serves.items() if runs.get(name) != value} == changed
    assert {one["name"] for one in runs["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    (claim,) = served["spec"]["volumeClaimTemplates"]
    named = f"{claim['metadata']['name']}-{served['metadata']['name']}-0"
    assert named in [one.get("persistentVolumeClaim", {}).get("claimName") for one in pod["volumes"]]
