"""Tests of how Usher itself reads the file ``.env`` in the folder where it is started."""

import json

import pytest

from tests.app.command_line import environment, run

NOWHERE = "postgresql://usher:canary-1@127.0.0.1:1/usher?connect_timeout=1&application_name=usher"
NAMED = "postgresql://127.0.0.1:1/usher"


def write(folder, *, quote="'", mode=0o600, **changes):
    """Write an ``.env`` file with the settings that tests otherwise pass as environment variables."""
    path = folder / ".env"
    lines = [f"{name}={quote}{value}{quote}\n" for name, value in environment(folder, **changes).items()]
    path.write_text("".join(["# A comment\n", *lines]))
    path.chmod(mode)
    return path


@pytest.mark.parametrize("quote", ["'", '"', ""])
async def test_an_address_with_an_ampersand_stays_whole_and_no_other_database_is_made(tmp_path, quote):
    write(tmp_path, quote=quote, USHER_DATABASE_URL=NOWHERE)
    migrated = await run("migrate", cwd=tmp_path)
    assert migrated.status == 1
    assert migrated.err.startswith(f"{NAMED} can't be opened: no server answers there")
    assert not (tmp_path / "usher.db").exists()
    checked = await run("doctor", "--json", cwd=tmp_path)
    (store,) = [check for check in json.loads(checked.out)["checks"] if check["name"] == "store"]
    assert (store["is_good"], store["found"].startswith(NAMED)) == (False, True)
    assert "canary-1" not in migrated.err + checked.out + checked.err


async def test_the_database_that_is_used_is_named_by_its_whole_path(tmp_path):
    write(tmp_path, USHER_DATABASE_URL="sqlite:///usher.db")
    new = await run("doctor", cwd=tmp_path)
    assert f"ok   store: {tmp_path / 'usher.db'} doesn't exist yet" in new.out
    missing = await run("audit", "verify", cwd=tmp_path)
    assert f"no database yet ({tmp_path / 'usher.db'})" in missing.err
    migrated = await run("migrate", cwd=tmp_path)
    assert (migrated.status, str(tmp_path / "usher.db") in migrated.err) == (0, True)
    there = await run("doctor", cwd=tmp_path)
    assert f"ok   store: {tmp_path / 'usher.db'}: 0 accounts" in there.out


async def test_what_the_environment_sets_wins_even_if_it_is_empty(tmp_path):
    write(tmp_path, SLACK_CLIENT_ID="1.2", SLACK_CLIENT_SECRET="canary")
    half = await run("migrate", cwd=tmp_path, env={"SLACK_CLIENT_ID": ""})
    assert (half.status, "belong together" in half.err) == (2, True)
    other = await run("migrate", cwd=tmp_path, env={"USHER_DATABASE_URL": f"sqlite:///{tmp_path / 'b.db'}"})
    assert (other.status, (tmp_path / "b.db").exists(), (tmp_path / "usher.db").exists()) == (0, True, False)


@pytest.mark.parametrize(("mode", "can"), [(0o644, "read"), (0o660, "change")])
async def test_doctor_says_when_others_can_read_or_change_it(tmp_path, mode, can):
    path = write(tmp_path, mode=mode)
    checked = await run("doctor", cwd=tmp_path)
    assert f"BAD  settings: others on this machine can {can} {path}: chmod 600 it\n" in checked.out
    migrated = await run("migrate", cwd=tmp_path)
    assert (migrated.status, str(path) in migrated.err) == (0, True)


async def test_doctor_says_when_others_can_put_another_one_in_its_place(tmp_path):
    write(tmp_path)
    tmp_path.chmod(0o770)
    checked = await run("doctor", cwd=tmp_path)
    can = f"others on this machine can write in {tmp_path}, where .env is: chmod go-w it"
    assert f"BAD  settings: {can}\n" in checked.out


@pytest.mark.parametrize(
    "line", ["USHER_ADMINS='U1", "USHER_ADMINS: U1", "set USHER_ADMINS=U1", 'PORT="1" 2']
)
async def test_line_that_sets_nothing_is_named(tmp_path, line):
    path = write(tmp_path)
    path.write_text(f"{path.read_text()}\n{line}\nPORT=3000\n")
    number = path.read_text().splitlines().index(line) + 1
    ended = await run("migrate", cwd=tmp_path)
    assert (ended.status, f"{path} isn't NAME=VALUE in line {number}" in ended.err) == (2, True)
    # Other commands, such as doctor, couldn't go on either.
    assert ended.err.splitlines()[-1].startswith("Correct that file, then try again.")


@pytest.mark.parametrize("before", ["", "\ufeff"], ids=ascii)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=ascii)
async def test_last_line_of_a_name_counts_as_it_is_written(tmp_path, before, end):
    """If ``.env`` sets a name several times, the last line wins.

    As in systemd, variables in values aren't expanded.
    """
    path = write(tmp_path, USHER_METRICS_TOKEN="0123456789abcdef", USHER_ADMINS="U1")
    more = "USHER_METRICS_TOKEN='${HOME}'\nexport USHER_ADMINS=U2 # me\nUSHER_METRICS_TOKEN='$$'\n"
    path.write_text((before + path.read_text() + more).replace("\n", end), newline="")
    ended = await run("migrate", cwd=tmp_path)
    assert ended.err.splitlines()[1:-1] == [
        "  USHER_METRICS_TOKEN: needs 16 or more letters, digits and -._~+/= without spaces"
    ]


async def test_doctor_reports_a_broken_file_as_json_too(tmp_path):
    path = write(tmp_path)
    path.write_text("USHER_ADMINS: U1\n")
    ended = await run("doctor", "--json", cwd=tmp_path)
    (check,) = json.loads(ended.out)["checks"]
    assert (ended.status, check["is_good"]) == (2, False)
    assert f"{path} isn't NAME=VALUE in line 1" in check["found"]


async def test_folder_in_its_place_is_named(tmp_path):
    (tmp_path / ".env").mkdir()
    ended = await run("migrate", cwd=tmp_path)
    assert (ended.status, f"the file {tmp_path / '.env'} can't be read" in ended.err) == (2, True)


async def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / ".env"
    path.write_bytes(b"USHER_ADMINS=\xff\xfe")
    ended = await run("doctor", cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert f"the file {path} can't be read" in ended.err
    assert "Traceback" not in ended.err
