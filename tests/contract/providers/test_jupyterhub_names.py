"""Names as ids, in paths and in links; and event streams that may be cut off anywhere."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jupyterhub.slugs import is_valid_display_name, is_valid_safe_slug, normalise_unicode

from bot.domain import failure_causes
from bot.domain.forms import FormProblems, FreeName, Spec, append_suffix, is_in_use
from bot.domain.people import Principal
from bot.domain.workspaces import State
from bot.providers import connection
from bot.providers.jupyterhub import JupyterHub, JupyterHubSettings
from bot.providers.jupyterhub.making import JupyterHubOffer
from bot.providers.jupyterhub.servers import (
    Progress,
    ServerName,
    _observe_starting,
    _observe_stopped,
    parse_last_event,
    parse_reference,
)
from bot.services.courses import get_workspace_stem
from bot.support.errors import NotFound
from tests.rigs.providers import NO_GPU

ROOT = "https://hub.example.org/jhub"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: set(text) != {"."}
)


TEMPLATES = st.from_regex(connection._TEMPLATE_NAME_PATTERN, fullmatch=True)
ASKER = Principal(None, "T1", "U1")


def making(name):
    settings = {"name": "hub", "provider": "jupyterhub", "title": "Hub", "base_url": "http://127.0.0.1:1"}
    return JupyterHub(JupyterHubSettings.model_validate({**settings, "templates": [{"name": name}]}), None)


@given(TEMPLATES, st.sets(TEMPLATES), st.sampled_from([0, 5, 6, 7]))
@example("gpu_lab", set(), 6)
def test_what_is_proposed_is_a_name_that_the_hub_takes(template, taken, release):
    provider, offer = making(template), JupyterHubOffer(tuple(taken), release)
    values = {"template": template}
    proposed = provider.form(offer, "workspace", values, ASKER).field("name").initial
    assert is_valid_safe_slug(proposed)
    assert provider.spec(offer, "workspace", {**values, "name": proposed}, ASKER).name == proposed


@given(st.text(), st.text(), st.sets(TEMPLATES))
@example("2026 statistics", "press", set())
def test_what_a_class_makes_has_a_name_that_the_hub_takes(title, key, taken):
    stem = get_workspace_stem(making("lab"), title)
    assert is_valid_safe_slug(stem)
    assert is_valid_safe_slug(append_suffix(stem, key))
    assert is_valid_safe_slug(FreeName(stem, taken).choose_name([stem]))


@given(st.text(max_size=45), st.sets(TEMPLATES), st.sampled_from([0, 6]))
@example("My_Lab", {"my-lab"}, 6)
@example("P", {"p"}, 6)
@example("0\x1b", {"0"}, 6)
@example("👩\u200d🔬 \u0378 1\ue000", set(), 6)
def test_what_is_typed_is_made_a_name_that_the_hub_takes_or_refused(typed, taken, release):
    values = {"template": "lab", "name": typed}
    try:
        spec = making("lab").spec(JupyterHubOffer(tuple(taken), release), "workspace", values, ASKER)
    except FormProblems:
        # The newest hubs refuse only names that are too long, in use, or without a letter or digit.
        shown = "".join(filter(str.isprintable, typed)).strip()
        assert not release or len(typed) > 40 or is_in_use(shown, taken) or not any(map(str.isalnum, typed))
        return
    assert is_valid_safe_slug(spec.name)
    assert spec.name not in taken
    shown = spec.text("display_name")
    assert is_valid_display_name(normalise_unicode(shown or spec.name))
    assert release or not shown


@pytest.mark.parametrize("name", ["My_Lab", "GPU", "data.science", "9lives"])
def test_an_older_hub_takes_what_fits_into_a_path(name):
    values = {"template": "lab", "name": name}
    assert making("lab").spec(JupyterHubOffer((), 5), "workspace", values, ASKER) == Spec(
        name, {"template": "lab"}
    )
    assert not is_valid_safe_slug(name)
    with pytest.raises(FormProblems, match="name"):
        making("lab").spec(JupyterHubOffer(), "workspace", values, ASKER)


@given(NAMES, st.just("") | NAMES)
def test_an_id_leads_back_to_its_names(user, server):
    name = ServerName(user, server)
    assert ServerName.from_id(name.remote_id) == name
    assert name.remote_id.count("/") == 1
    assert name.remote_id.isascii()


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_two_servers_never_share_an_id_or_a_path(one, other):
    first, second = ServerName(*one), ServerName(*other)
    assert (first.remote_id == second.remote_id) is (one == other)
    assert (first.path == second.path) is (one == other)


def test_names_with_signs_stay_apart():
    assert ServerName("a/b", "c").remote_id == "a%2Fb/c"
    assert ServerName("a", "b/c").path == "/users/a/servers/b%2Fc"
    assert ServerName("alice-prod").remote_id != ServerName("alice", "prod").remote_id
    assert ServerName("alice").path == "/users/alice/server"
    assert ServerName("ä@x.org", "gpu 1").ide_path == "/user/%C3%A4%40x.org/gpu%201/"


@pytest.mark.parametrize(
    "text",
    ["", "/", "/x", "alice", "a/b/c", "./x", "a/..", "%2e%2e/x", "a/%2E", "x" * 9999, "x" * 9999 + "/"],
)
def test_what_is_no_id_is_not_found(text):
    with pytest.raises(NotFound):
        ServerName.from_id(text)


@pytest.mark.parametrize(
    ("text", "remote_id"),
    [
        (f"{ROOT}/user/alice/", "alice/"),
        (f"{ROOT}/user/alice", "alice/"),
        (f"{ROOT}/user/alice/lab/tree/x.ipynb?reset", "alice/"),
        (f"{ROOT}/user/alice/gpu/lab", "alice/gpu"),
        (f"{ROOT}/hub/user/alice/gpu/", "alice/gpu"),
        (f"{ROOT}/hub/spawn/alice/gpu", "alice/gpu"),
        (f"{ROOT}/hub/spawn/alice/lab", "alice/lab"),
        (f"{ROOT}/hub/spawn-pending/alice/gpu?next=x", "alice/gpu"),
        (f"{ROOT}/user/%C3%A4%40x.org/gpu%201/", "%C3%A4%40x.org/gpu%201"),
        ("alice/gpu", "alice/gpu"),
        (" alice/ ", "alice/"),
        ("a%2Fb/c", "a%2Fb/c"),
        ("alice", None),
        ("", None),
        ("alice/gpu/lab", None),
        (f"{ROOT}/hub/home", None),
        (f"{ROOT}/user/", None),
        (f"{ROOT}/user/../x", None),
        ("https://hub.example.org/user/alice/", None),
        ("https://hub.example.org.evil.example/jhub/user/alice/", None),
        ("http://hub.example.org/jhub/user/alice/", None),
        ("https://evil.example/alice", None),
        ("https://alice.hub.example.org/jhub/user/alice/gpu/lab", "alice/gpu"),
        ("https://a.b.hub.example.org/jhub/user/alice/gpu/lab", None),
        ("https://hub.example.org.evil.example/jhub/user/alice/gpu/lab", None),
    ],
)
def test_links_and_ids_that_people_paste(text, remote_id):
    assert parse_reference(text, ROOT) == remote_id


@given(st.text() | st.text().map(lambda text: f"{ROOT}/user/{text}"))
def test_a_reference_is_an_id_or_nothing(text):
    found = parse_reference(text, ROOT)
    assert found is None or ServerName.from_id(found).remote_id == found


STREAM = (
    b'\n\ndata: {"progress": 10, "message": "Waiting"}\n\n'
    b'data: {"progress": 40.7, "message": "Preparing\\u202e <b>"}\n\n'
)


def event(message: str, **more: object) -> bytes:
    return b"data: " + json.dumps({"progress": 50, "message": message, **more}).encode() + b"\n\n"


ASSIGNED = "Successfully assigned jupyter/jupyter-ana to node-1"
#: What Kubernetes reports on every start that attaches a disk.
ATTACHED = 'AttachVolume.Attach succeeded for volume "pvc-1"'
WARNED = STREAM + event(f"2026-03-04T05:06:07Z [Warning] {NO_GPU}")


@pytest.mark.parametrize(
    ("stream", "progress"),
    [
        (WARNED, Progress(50, NO_GPU, NO_GPU)),
        (WARNED + event("None [Normal] Pulling image x"), Progress(50, "Pulling image x", NO_GPU)),
        (STREAM + event("2026 [Warning] Odd"), Progress(50, "Odd", "Odd")),
        (STREAM + event("OOMKilled"), Progress(50, "OOMKilled", "OOMKilled")),
        (WARNED + event("Spawn failed: Timeout", failed=True), Progress(50, "Timeout", NO_GPU, True)),
        (
            STREAM + event("No nodes", raw_event={"type": "Warning", "message": NO_GPU}),
            Progress(50, NO_GPU, NO_GPU),
        ),
        (event("2026-03-04 05:06:07+00:00 [Normal] Pulling"), Progress(50, "Pulling")),
        (event(f"2026-03-04T05:06:07Z [Normal] {ATTACHED}"), Progress(50, ATTACHED)),
        (WARNED + event(f"2026 [Normal] {ASSIGNED}"), Progress(50, ASSIGNED, is_assigned=True)),
        (
            WARNED + event(f"2026 [Normal] {ASSIGNED}") + event("2026 [Warning] Odd"),
            Progress(50, "Odd", "Odd", is_assigned=True),
        ),
        (event("Odd", raw_event={"type": "Warning", "message": 7}), Progress(50)),
        (event("Odd", raw_event=["Warning"]), Progress(50, "Odd")),
        (WARNED + event("Spawn failed: ", failed=True), Progress(50, "", NO_GPU, True)),
        (event("Spawn failed", failed=True), Progress(50, "", "", True)),
        (b"", None),
        (b"\n\n", None),
        (STREAM, Progress(40, "Preparing <b>")),
        (STREAM[:-1], Progress(40, "Preparing <b>")),
        (STREAM[:-5], Progress(10, "Waiting")),
        (STREAM.replace(b"\n", b"\r\n"), Progress(40, "Preparing <b>")),
        (
            b'data: {"progress": 100, "failed": true, "message": "no"}\n\n',
            Progress(100, "no", has_failed=True),
        ),
        (b'data: {"failed": "yes", "ready": 1}\n', Progress()),
        (b'data: {"ready": true, "progress": 1e400, "message": 7}\n', Progress(is_ready=True)),
        (b'data: {"progress": -5}\n', Progress(0)),
        (b'data: {"progress": 500}\n', Progress(100)),
        (b'data: {"progress": true}\n', Progress()),
        (STREAM + b"data: null\n\ndata: [\n\nrubbish\n\xff\xfe\n", Progress(40, "Preparing <b>")),
        (b"data: " + b"[" * 50_000 + b"\n", None),
    ],
)
def test_the_last_whole_event_counts(stream, progress):
    assert parse_last_event(stream) == progress


MAX_NODES = "pod didn't trigger scale-up: 1 max node group size reached, 2 Insufficient cpu"
ADDING = "pod triggered scale-up: [{gpu-pool 0->1 (max: 4)}]"
NO_CPU = "0/3 nodes are available: 3 Insufficient cpu, 2 Insufficient memory."
OUT = "Node scale up in zones europe-west4-a associated with this pod failed: GCE out of resources."
NO_GPU_ADDED = "pod didn't trigger scale-up: 1 Insufficient nvidia.com/gpu"
FAILED = event("Spawn failed: pod jupyter/jupyter-ana did not start in 300 seconds!", failed=True)
#: What the hub reports if it reaches ``start_timeout`` before KubeSpawner does.
TIMED_OUT = event("Spawn failed: ", failed=True)


@pytest.mark.parametrize("failure", [FAILED, TIMED_OUT], ids=["spawner", "hub"])
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([NO_GPU, MAX_NODES], NO_GPU),
        ([MAX_NODES, NO_GPU], NO_GPU),
        ([NO_GPU, OUT], NO_GPU),
        ([NO_GPU, MAX_NODES, OUT, MAX_NODES], NO_GPU),
        ([NO_GPU, ADDING], ADDING),
        ([NO_GPU, ADDING, OUT], NO_GPU),
        ([ADDING, MAX_NODES, NO_GPU, MAX_NODES], NO_GPU),
        ([NO_GPU, NO_CPU, MAX_NODES], NO_CPU),
        ([NO_GPU_ADDED, OUT], NO_GPU_ADDED),
        ([NO_CPU, NO_GPU_ADDED], NO_CPU),
        ([MAX_NODES, OUT], MAX_NODES),
        ([ADDING, OUT], OUT),
        ([OUT], OUT),
    ],
)
def test_what_adds_no_machine_hides_nothing_that_is_missing(said, reason, failure):
    """KubeSpawner passes on the events of Kubernetes' scheduler and autoscaler in the order they arrive."""
    stream = b"".join(event(f"2026-03-04T05:06:07Z [Warning] {one}") for one in said)
    waiting = parse_last_event(stream)
    # The latest event isn't quoted if an earlier one says what holds the start up.
    assert (waiting.warning, waiting.message) == (reason, reason)
    failed = parse_last_event(stream + failure)
    assert failure_causes.pick_failure_message([failed.warning, failed.message]) == reason
    # After a failure the hub may report nothing else, so the reason that was read before is kept.
    read = None
    for end in range(1, len(said) + 1):
        found = parse_last_event(b"".join(event(f"2026 [Warning] {one}") for one in said[:end])).warning
        read = failure_causes.choose_reason(State.STARTING, read, State.STARTING, found)
    assert (
        failure_causes.choose_reason(State.STARTING, read, State.FAILED, parse_last_event(failure).message)
        == reason
    )


def test_failure_is_not_blamed_on_the_search_for_a_machine_that_was_found():
    warned = _observe_starting(parse_last_event(WARNED), "lab")
    assigned = _observe_starting(parse_last_event(WARNED + event(f"2026 [Normal] {ASSIGNED}")), "lab")
    failed = _observe_stopped(parse_last_event(FAILED), "lab")
    state, known = State.STOPPED, None
    for seen in (warned, assigned, failed):
        known = failure_causes.choose_reason(state, known, seen.state, seen.reason)
        state = seen.state
    assert warned.reason == NO_GPU
    assert (state, known) == (State.FAILED, "pod jupyter/jupyter-ana did not start in 300 seconds!")


@given(st.binary(), st.integers(0, len(STREAM)))
def test_a_stream_may_be_cut_anywhere(noise, cut):
    assert parse_last_event(STREAM[:cut]) in {None, Progress(10, "Waiting"), Progress(40, "Preparing <b>")}
    found = parse_last_event(noise + b"\n" + json.dumps({"data": 1}).encode() + b"\n" + STREAM)
    assert found == Progress(40, "Preparing <b>")


@pytest.mark.parametrize(
    "taken", [{"server"}, {"Server"}, {"server", "server-3"}], ids=["own", "case", "two"]
)
def test_form_with_names_that_usher_lists_proposes_another(taken):
    hub = making("server")
    offer = hub.add_names(JupyterHubOffer(("server-2",), 6), taken)
    assert hub.form(offer, "workspace", {"template": "server"}, ASKER).field("name").initial not in {
        *taken,
        "server",
        "server-2",
    }
    with pytest.raises(FormProblems, match="name"):
        hub.spec(offer, "workspace", {"template": "server", "name": min(taken)}, ASKER)


@pytest.mark.parametrize(
    ("remote_id", "owner"),
    [("bob/theirs", "bob"), ("bob/", "bob"), ("b%C3%B6b%2F/x", "böb/"), ("nothing", None), ("a/b/c", None)],
)
def test_owner_is_read_from_an_id(remote_id, owner):
    provider = JupyterHub.__new__(JupyterHub)
    assert provider.find_owner(remote_id) == owner
