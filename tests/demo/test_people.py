"""Tests of what the demonstration keeps between starts, who may read it, and which ports it uses."""

import re
import socket
import stat
from typing import Any

import pytest

from playground.demo import ports
from playground.demo.kept import folder_of, keep
from playground.demo.people import NAMES, seeds
from playground.jupyterhub.options import parse as hub_seed
from playground.posit.seed import parse as posit_seed
from playground.processes import PortInUseError, StageError, free_port
from playground.saturn.seed import parse as saturn_seed
from playground.sphere.seed import parse as sphere_seed


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_passwords_and_tokens_are_the_same_at_the_second_start_and_other_ones_elsewhere(tmp_path):
    said = []
    first, second = (keep(tmp_path / "here", said.append) for _ in range(2))
    assert seeds(first) == seeds(second)
    assert said == []
    assert (mode(tmp_path / "here"), mode(tmp_path / "here" / "secret")) == (0o700, 0o600)
    others = seeds(keep(tmp_path / "there", said.append))
    for server in ("saturn", "posit", "jupyterhub"):
        ours, theirs = (
            {one["name"]: one for one in made[server]["users"]} for made in (seeds(first), others)
        )
        for name in NAMES.values():
            assert len(ours[name]["password"]) == 16
            assert not {ours[name]["password"], ours[name]["token"]} & {
                theirs[name]["password"],
                theirs[name]["token"],
            }


@pytest.mark.parametrize(
    ("file", "folder", "content", "sentence"),
    [
        (0o600, 0o700, None, None),
        (0o400, 0o700, None, None),
        (0o600, 0o755, None, None),
        (0o640, 0o700, None, "could be read by others (mode 0640), so all passwords and tokens are new."),
        (0o604, 0o700, None, "could be read by others (mode 0604), so all passwords and tokens are new."),
        (0o666, 0o777, None, "could be read by others (mode 0666), so all passwords and tokens are new."),
        (0o600, 0o700, "", "was damaged, so all passwords and tokens are new."),
        (0o600, 0o700, "password\n", "was damaged, so all passwords and tokens are new."),
    ],
)
def test_a_secret_that_others_could_read_is_replaced(tmp_path, file, folder, content, sentence):
    said = []
    held = tmp_path / "usher-demo"
    before = keep(held, said.append)
    if content is not None:
        before.path.write_text(content)
    before.path.chmod(file)
    held.chmod(folder)
    after = keep(held, said.append)
    assert said == ([] if sentence is None else [f"{held / 'secret'} {sentence}"])
    assert (after.secret == before.secret) == (sentence is None)
    assert (mode(held), mode(after.path) & 0o077) == (0o700, 0)
    assert keep(held, said.append) == after


def test_a_secret_is_not_read_through_a_link_and_without_a_place_it_is_for_one_start(tmp_path):
    known = tmp_path / "known"
    known.write_text("a" * 64 + "\n")
    known.chmod(0o600)
    held = tmp_path / "usher-demo"
    held.mkdir()
    (held / "secret").symlink_to(known)
    said = []
    first, second = (keep(held, said.append) for _ in range(2))
    assert first.path is None
    assert first.secret != second.secret
    assert len(said) == 2
    assert said[0].endswith("): passwords and tokens are for this start only.")


def test_the_folder_follows_the_desktop_standard(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder_of({"XDG_STATE_HOME": "/elsewhere"}).as_posix() == "/elsewhere/usher-demo"
    for ignored in ({}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "relative"}):
        assert folder_of(ignored) == tmp_path / ".local" / "state" / "usher-demo"


def test_everybody_has_an_account_of_their_own_name_and_the_workspaces_of_the_seed(tmp_path):
    made = seeds(keep(tmp_path / "usher-demo", print))
    saturn: Any = saturn_seed(made["saturn"])
    posit = posit_seed(made["posit"])
    hub, sphere = hub_seed(made["jupyterhub"]), sphere_seed(made["sphere"])
    for people in (saturn.people, posit.people, hub.users):
        names = [one.name for one in people]
        assert set(NAMES.values()) <= set(names)
        assert not {"alice", "bob", "carol"} & set(names)
        assert [one.name for one in people if one.admin] == ["amir"]
    assert {one.owner for one in saturn.resources} == {"olivia", "chen", "tara"}
    assert {one.owner for one in posit.sessions} == {"olivia", "chen"}
    names = [one.name for one in (*saturn.resources, *posit.sessions, *posit.jobs) if one.owner == "olivia"]
    names += next(one.servers for one in hub.users if one.name == "olivia")
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z -]+", name) for name in names)
    assert not [one for one in (*saturn.resources, *sphere.projects) if one.fail]
    assert all(one.token for one in (*posit.tokens, *saturn.people, *posit.people, *hub.users))
    assert sphere.access_token


def test_a_port_that_is_taken_is_named_and_the_next_one_used():
    taken = {8400, 8401, 8430}

    def probe(port):
        if port in taken:
            raise PortInUseError

    said = []
    chosen = ports.choose(ports.FIRST, said.append, probe)
    assert list(chosen.values()) == [8402, 8410, 8420, 8431, 8440, 8450]
    assert said == [
        "Port 8400 is in use by another program; using 8402 for the local Slack.",
        "Port 8430 is in use by another program; using 8431 for JupyterHub.",
    ]
    taken.update(range(8440, 8450))
    with pytest.raises(StageError, match="ports 8440 to 8449 are all in use: choose others with --port"):
        ports.choose(ports.FIRST, said.append, probe)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with pytest.raises(PortInUseError):
            free_port(listening.getsockname()[1])
