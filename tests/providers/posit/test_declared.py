"""Tests of default values declared by the server. They are sent for all fields that a user leaves unset.

It doesn't matter whether the user submits a form or types flags.
"""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forms import FormProblems, Spec, Values
from bot.messages.blocks.forms import make_view
from bot.providers.posit import drafts, forms, launches, specs
from bot.providers.posit.offers import WorkbenchOffer, format_key
from bot.providers.posit.types import ComputeEnvs
from bot.services import creation
from bot.services.creation import Flag
from handlers.requests.payload import parse_values
from playground.posit.accounts import Person
from playground.posit.environments import Environments, Resources
from playground.posit.settings import Settings
from tests.messages.card_facts import ALICE

IDES = ("RStudio", "JupyterLab", "Positron")
PERSON = Person("alice", "pw", 1000, False, False, True, 0.0, 0.0, {})
KEYS = ["cpuCount", "memory", "NVIDIA GPUs", "gpuCount", "gpu_count", "a b", "a_b", "node-type", "Größe"]
NAMES = st.text("abcXYZ019-_. ", min_size=1, max_size=20).map(str.strip).filter(bool)
NUMBERS = st.sampled_from(["0", "0.0", "1", "1.50", "2", "4096", "1e3"])
LIMITS = st.builds(
    lambda kind, value_type, bounds: {"type": kind, "valueType": value_type, **bounds},
    st.sampled_from(KEYS),
    st.sampled_from(["string", "int", "number"]),
    st.one_of(
        NUMBERS.map(lambda value: {"defaultValue": value, "maxValue": "1e6"}),
        st.just({"defaultValue": "0", "maxValue": "0"}),
    ),
)
PLACES = st.builds(lambda name: {"name": name}, st.sampled_from(KEYS)) | st.builds(
    lambda name, value: {"name": name, "value": value}, st.sampled_from(KEYS), NAMES
)
FLAGS = st.fixed_dictionaries(
    {},
    optional={"supports_interactive_sessions": st.booleans(), "supports_adhoc_jobs": st.booleans()},
)
CLUSTERS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Local", "Kubernetes", "Slurm & co"]),
        "supportsContainers": st.booleans(),
        "images": st.lists(NAMES, max_size=3),
        "queues": st.lists(NAMES, max_size=3),
        "resourceLimits": st.lists(LIMITS, max_size=4, unique_by=lambda one: one["type"]),
        "resourceProfiles": st.lists(NAMES | st.just("custom"), max_size=3, unique=True),
        "placementConstraints": st.lists(PLACES, max_size=4),
        "workbenches": st.dictionaries(st.sampled_from(IDES), FLAGS),
    }
)
WORKBENCHES = st.dictionaries(
    st.sampled_from(IDES),
    st.fixed_dictionaries(
        {
            "default_cluster": st.sampled_from(["Local", "Localhost", ""]),
            "default_image": NAMES | st.just(""),
            "lang": st.fixed_dictionaries({"available": st.booleans()}),
        }
    ),
    min_size=1,
)


def unchanged(view: dict[str, Any], **typed: str) -> Values:
    """Return the values of a form that is submitted unchanged, except for required fields."""
    state: dict[str, Any] = {}
    for block in (one for one in view["blocks"] if one["type"] == "input"):
        element, name = block["element"], re.sub("~.*", "", block["block_id"])
        held = {
            key.replace("initial_", "selected_" if "option" in key else ""): value
            for key, value in element.items()
            if key.startswith("initial_")
        }
        held |= {"value": typed[name]} if name in typed else {}
        assert held or block["optional"], f"{name} is required and empty"
        state[block["block_id"]] = {element["action_id"]: {"type": element["type"], **held}}
    return parse_values({"state": {"values": state}})


def submitted(offer: WorkbenchOffer, purpose: Any, values: Values) -> Spec:
    return specs.build_spec(offer, drafts.build_draft(offer, purpose, values, ALICE, ()), values)


def launched(purpose: str, spec: Spec) -> dict[str, Any]:
    """Return the launch parameters for a spec. They are empty if it can't be launched anywhere."""
    if purpose == "workspace":
        return launches.build_session_launch(spec, None, "k")["launch_parameters"] or {}
    job = launches.build_job_launch(spec, None, "k")["job"]
    return {key: value for key, value in job.items() if value is not None}


@given(
    st.sampled_from(["workspace", "job"]),
    st.lists(CLUSTERS, max_size=3, unique_by=lambda one: one["name"]),
    WORKBENCHES,
    st.sampled_from(["both", "valueType", "type"]),
    st.data(),
)
def test_a_form_that_is_submitted_unchanged_is_what_the_server_declared(
    purpose, clusters, workbenches, kind, data
):
    settings, alice = Settings(limit_kind=kind), PERSON
    server = Environments(clusters, workbenches, settings)
    answer = server.shown(alice)
    offer = WorkbenchOffer(ComputeEnvs.from_json(answer))

    def form_of(values: Values):
        return forms.build_form(offer, drafts.build_draft(offer, purpose, values, ALICE, ()))

    chosen: dict[str, Any] = {}
    for name in ("ide", "cluster", "profile"):
        field = form_of(chosen).field(name)
        if field is not None and field.choices:
            chosen[name] = data.draw(st.sampled_from([choice.value for choice in field.choices]))
    form = form_of(chosen)
    usable = [one for one in workbenches if workbenches[one]["lang"]["available"]]
    if not form.fields:
        assert purpose == "job" or clusters or not usable
        return
    typed = {"command": "ls", "name": "n"} if purpose == "job" else {}
    view = make_view(
        form, purpose=purpose, metadata={}, title="T", username="alice", values={**chosen, **typed}
    )
    assert len({block.get("block_id") for block in view["blocks"]}) == len(view["blocks"])
    by_form = submitted(offer, purpose, unchanged(view, **typed))
    flags = [Flag(name, value) for name, value in (chosen | typed).items()]
    filled = creation.apply_flags(form_of, flags)
    assert (filled.problems, filled.unknown) == ({}, [])
    assert submitted(offer, purpose, filled.values) == by_form

    told = launched(purpose, by_form)
    if not clusters:
        assert told == {}
        server.check_workbench(by_form.text("workbench"), None)
        return
    cluster = next(one for one in answer["clusters"] if one["name"] == told["cluster"])
    limits = told.get("resource_limits", [])
    if not cluster["resourceProfiles"] or chosen.get("profile") == "custom":
        declared = {one.get("type", one.get("name")): one for one in cluster["resourceLimits"]}
        assert {one["type"]: (one["value"], one.get("valueType")) for one in limits} == {
            name: (one["defaultValue"], one.get("valueType")) for name, one in declared.items()
        }
    else:
        assert (limits, told["resource_profile"]) == ([], chosen["profile"])
    asked = Resources(
        cluster=told["cluster"],
        image=told.get("container_image", ""),
        limits=limits,
        queues=told.get("queues", []),
        constraints=told.get("placement_constraints", []),
        profile=told.get("resource_profile", ""),
    )
    server.check(asked, alice)


def one_cluster(**changes: Any) -> WorkbenchOffer:
    answer = {"clusters": [{"name": "K", **changes}], "workbenches": {"RStudio": {}}}
    return WorkbenchOffer(ComputeEnvs.from_json(answer))


@pytest.mark.parametrize(
    ("limit", "kind", "initial", "sent"),
    [
        ({"defaultValue": "0", "maxValue": "0"}, "number", "0", "0"),
        ({"defaultValue": 0, "maxValue": 2}, "number", "0", "0"),
        ({"defaultValue": "1.50", "maxValue": "0"}, "number", "1.5", "1.50"),
        ({"defaultValue": "8", "maxValue": "-1"}, "number", "8", "8"),
        ({"defaultValue": "1Gi"}, "text", "1Gi", "1Gi"),
        ({"defaultValue": "8", "maxValue": "2"}, "number", "", None),
        ({"defaultValue": "-1"}, "number", "", None),
        ({}, "number", "", None),
    ],
)
def test_a_limit_is_asked_for_as_it_is_declared(limit, kind, initial, sent):
    offer = one_cluster(resourceLimits=[{"type": "NVIDIA GPUs", **limit}])
    form = forms.build_form(offer, drafts.build_draft(offer, "workspace", {}, ALICE, ()))
    field = form.field("limit_NVIDIA_GPUs")
    assert (field.label, field.kind, field.initial) == ("NVIDIA GPUs", kind, initial)
    spec = submitted(offer, "workspace", {"name": "n", field.name: field.initial})
    assert [one["value"] for one in launched("workspace", spec)["resource_limits"]] == [sent] * (
        sent is not None
    )


def test_a_placement_without_values_is_typed():
    offer = one_cluster(placementConstraints=[{"name": "node"}, {"name": "zone", "value": "a"}])
    form = forms.build_form(offer, drafts.build_draft(offer, "workspace", {}, ALICE, ()))
    assert (form.field("place_node").label, form.field("place_node").kind) == ("Node", "text")
    spec = submitted(offer, "workspace", {"name": "n", "place_node": "gpu=7", "constraints": ("zone=a",)})
    assert launched("workspace", spec)["placement_constraints"] == [
        {"name": "zone", "value": "a"},
        {"name": "node", "value": "gpu=7"},
    ]
    both = one_cluster(placementConstraints=[{"name": "node"}, {"name": "node", "value": "a"}])
    with pytest.raises(FormProblems, match="constraints"):
        submitted(both, "workspace", {"name": "n", "place_node": "b", "constraints": ("node=a",)})


def test_without_a_launcher_sessions_are_launched_and_jobs_are_not():
    offer = WorkbenchOffer(
        ComputeEnvs.from_json({"clusters": [], "workbenches": {"RStudio": {}, "VS Code": {}}})
    )
    form = forms.build_form(offer, drafts.build_draft(offer, "workspace", {"ide": "VS Code"}, ALICE, ()))
    assert [field.name for field in form.fields] == ["ide", "name", "directory", "environment"]
    spec = submitted(offer, "workspace", {"ide": "VS Code", "name": "n"})
    assert spec == Spec("n", {"workbench": "VS Code"})
    assert launches.build_session_launch(spec, None, "k")["launch_parameters"] is None
    assert forms.build_form(offer, drafts.build_draft(offer, "job", {}, ALICE, ())).fields == ()


@pytest.mark.parametrize(
    ("key", "label"),
    [("node-type", "Node type"), ("gpuCount", "GPU count"), ("cpuTime", "CPU time"), ("zone", "Zone"),
     ("NVIDIA GPUs", "NVIDIA GPUs"), ("amd.com/gpu", "amd.com/gpu"), ("GPUS", "GPUS"), ("gpus", "GPUs")],
)  # fmt: skip
def test_keys_are_shown_as_words(key, label):
    assert format_key(key) == label
