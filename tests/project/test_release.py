"""Tests of a release: it is reproducible, has only tracked files, and its wheel works on its own."""

import ast
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import urllib.request
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from bot.support.release import RELEASE, is_newer
from playground.processes import reserved_port
from tests.app.command_line import environment
from tests.project.builds import MOMENT, USHER, built, one
from tests.project.locks import pins_of, text_of
from tests.project.repository import ROOT, files, git, named, nodes
from tests.rigs.releases import read_last_release

MADE = {
    "PKG-INFO",
    "SOURCES.txt",
    "dependency_links.txt",
    "entry_points.txt",
    "requires.txt",
    "top_level.txt",
}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return built(tmp_path_factory.mktemp("release"), 100)


def tracked(*tops):
    names = map(named, files())
    return {name for name in names if not tops or name.split("/")[0] in tops}


def test_the_changelog_begins_with_what_is_not_released_and_goes_on_with_the_last_release():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    last = re.fullmatch(r"\[([\d.]+)\] - \d{4}-\d\d-\d\d", headings[1])
    assert last
    # The code's release is the last one in the changelog, or the next.
    assert not is_newer(last[1], RELEASE)


@pytest.mark.thorough
def test_the_same_source_becomes_the_same_bytes(release, tmp_path):
    umask = os.umask(0o077)
    try:
        again = built(tmp_path / "another/place", 200_000)
    finally:
        os.umask(umask)
    first, second = ({name: path.read_bytes() for name, path in found.items()} for found in (release, again))
    assert len(first) == 4
    assert first == second


def test_the_bill_of_materials_names_what_the_locks_name_and_what_was_built(release):
    text = one(release, ".cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    usher, parts = bill["metadata"]["component"], bill["components"]
    assert usher["purl"] == f"pkg:pypi/usher-bot@{RELEASE}"
    assert {one["content"] for one in usher["hashes"]} == {
        hashlib.sha256(one(release, suffix).read_bytes()).hexdigest() for suffix in (".whl", ".tar.gz")
    }
    for lock, scopes in (("base", {"required"}), ("demo", {"required", "optional"})):
        named = {part["purl"] for part in parts if part["scope"] in scopes}
        assert named == {f"pkg:pypi/{pin.replace('==', '@')}" for pin in pins_of(lock)}
    assert len(parts) == len(pins_of("dev") | pins_of("lint"))
    known = {digest["content"] for part in parts for digest in part["hashes"]}
    assert known == set(re.findall(r"sha256:(\w+)", text_of("dev") + text_of("lint")))


def test_the_wheel_holds_the_bot_with_its_pages_its_demonstration_and_nothing_else(release):
    with zipfile.ZipFile(one(release, ".whl")) as wheel:
        names = set(wheel.namelist())
    about = {name for name in names if ".dist-info/" in name}
    pages = {f"bot/{name}" for name in tracked("docs") if name.endswith(".md")}
    assert names - about == tracked("bot", "handlers", "playground", "usher") | pages | {"bot/.env.example"}
    assert {name.split("/", 1)[1] for name in about} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE")
    }


def test_the_source_distribution_holds_everything_that_is_tracked(release):
    with tarfile.open(one(release, ".tar.gz")) as archive:
        members = archive.getmembers()
    names = {member.name.split("/", 1)[1] for member in members}
    assert names == tracked() | {"PKG-INFO", "setup.cfg"} | {f"usher_bot.egg-info/{name}" for name in MADE}
    assert {(member.uid, member.uname, member.mtime) for member in members} == {(0, "", MOMENT)}


@pytest.fixture
def installed(release, tmp_path):
    """Return how to run the installed wheel from its own folder, and the settings for that."""
    with zipfile.ZipFile(one(release, ".whl")) as wheel:
        wheel.extractall(tmp_path / "installed")
    given = {**environment(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "installed")}
    return [sys.executable, "-P", "-c", USHER], given


def test_the_wheel_works_without_the_repository(installed, tmp_path):
    words, given = installed
    done = subprocess.run(
        [*words, "migrate"], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "0056_until_0_3_1" in done.stdout) == (0, True), done.stdout + done.stderr


#: Matches a page that a sentence refers to by the command that prints it.
PAGE = re.compile(r"\busher docs ([\w/-]+(?:#[\w-]+)?)")
#: Matches a page that is referred to as a file, which an installed wheel doesn't have.
FILE = re.compile(r"\bdocs/\w|[\w}-]\.md\b")


def sentences():
    """Yield Usher's own texts: the strings in its code other than docstrings, and its other files."""
    for path in files():
        top = path.relative_to(ROOT).parts[0]
        if path.suffix == ".py" and top in {"bot", "handlers", "playground", "usher"}:
            said = [
                one for one in nodes(path) if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            described = {id(one.value) for one in nodes(path) if isinstance(one, ast.Expr)}
            yield from (one.value for one in said if id(one) not in described)
        elif path.suffix in {".txt", ".html", ".toml", ".json"} and top in {"bot", "handlers"}:
            text = path.read_text(encoding="utf-8")
            yield re.sub(r"^#.*", "", text, flags=re.MULTILINE) if path.suffix == ".toml" else text


def test_no_sentence_names_a_file_of_the_repository():
    assert [one for one in sentences() if FILE.search(one)] == []


def test_every_page_that_a_sentence_names_is_in_the_wheel(installed, tmp_path):
    (*python, load), given = installed
    texts = [*sentences(), (ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8")]
    texts += [path.read_text(encoding="utf-8") for path in files() if path.suffix == ".md"]
    pages = sorted({page for text in texts for page in PAGE.findall(text)})
    assert len(pages) > 20
    (tmp_path / "empty").mkdir()
    # The program prints each page, then its name and the exit status.
    each = load.partition("sys.exit")[0] + "[print(one, usher.load()(['docs', one])) for one in sys.argv[1:]]"
    ended = subprocess.run(
        [*python, each, *pages],
        cwd=tmp_path / "empty",
        env={name: given[name] for name in ("PATH", "PYTHONPATH")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert [one for one in pages if f"{one} 0" not in lines] == []


def test_the_wheel_has_the_demonstration(installed, tmp_path):
    """The wheel's demonstration has the local Slack's page, the seeds and the hub.

    A real Usher's settings don't affect it.
    """
    words, given = installed
    given |= {"XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(tmp_path), "USHER_ADMINS": "none"}
    port = str(reserved_port())
    with subprocess.Popen(
        [*words, "demo", "--light", "--port", port],
        cwd=tmp_path,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as playing:
        said = []
        while not said or (said[-1] and "#key=" not in said[-1]):
            said.append(playing.stdout.readline())
        assert said[-1], "".join(said)
        with urllib.request.urlopen(said[-1].strip().partition("#")[0]) as answer:
            assert b"<title>" in answer.read()
        playing.send_signal(signal.SIGINT)
        rest, _ = playing.communicate(timeout=60)
    assert (playing.returncode, "Everything has been stopped and removed." in rest) == (0, True), rest


@pytest.mark.parametrize("words", [["demo"], ["demo", "--once"]])
def test_without_its_extra_the_demonstration_says_what_to_install(installed, tmp_path, words):
    (python, *flags, load), given = installed
    without = f"import sys; sys.modules['jupyterhub'] = None; {load}"
    done = subprocess.run(
        [python, *flags, without, *words],
        cwd=tmp_path,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "(jupyterhub)" in done.stderr
    assert f"{python} -m pip install 'usher-bot[demo]'" in done.stderr


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        (
            {"url": "file:///srv/usher_bot-0.2.0-py3-none-any.whl"},
            "file:///srv/usher_bot-0.2.0-py3-none-any.whl",
        ),
        ({"url": "https://git.example/usher", "vcs_info": {"vcs": "git"}}, "git+https://git.example/usher"),
    ],
)
def test_the_demonstration_says_how_to_install_it_from_where_usher_came(installed, tmp_path, origin, place):
    (python, *flags, load), given = installed
    (about,) = (tmp_path / "installed").glob("*.dist-info")
    (about / "direct_url.json").write_text(json.dumps(origin))
    without = f"import sys; sys.modules['jupyterhub'] = None; {load}"
    words = [python, *flags, without, "demo"]
    done = subprocess.run(words, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert f"pip install 'usher-bot[demo] @ {place}'" in done.stderr


def test_upgrade_page_names_the_files_and_the_tag_of_the_last_release(release):
    last = read_last_release()
    page = (ROOT / "docs/upgrade.md").read_text(encoding="utf-8")
    named = set(re.findall(r"usher_bot-\S+(?:whl|txt)", page))
    files = [name for name in release if name.endswith((".whl", ".txt"))]
    assert named == {name.replace(f"-{RELEASE}", f"-{last}") for name in files}
    assert re.findall(r"git checkout (v\S+)", page) == [f"v{last}"]


def test_release_ships_the_lock_of_what_the_wheel_needs(release):
    assert one(release, ".requirements.txt").read_text(encoding="utf-8") == text_of("base")


def test_going_back_finds_an_earlier_release_by_the_subject_of_its_commit():
    page = (ROOT / "docs/upgrade.md").read_text(encoding="utf-8")
    ((revision, earlier),) = re.findall(r"git checkout '(:/\^(Release \S+))'", page)
    if not git("rev-parse", "--verify", revision):
        pytest.skip("the repository's history isn't here")
    assert git("log", "-1", "--format=%s", revision).decode().strip() == earlier
