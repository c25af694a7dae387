"""Forms and command lines at their limits: values that can't be stored or shown, and too many flags."""

from types import SimpleNamespace

import pytest

from bot.domain.forms import Choice, Field, Form
from bot.messages.blocks import forms, limits
from bot.store import forms as form_rows
from bot.store import runs
from bot.support.errors import StoreBusy
from handlers.forms import _list_emptied
from handlers.requests.payload import parse_values
from tests.handlers.rig import submit, words
from tests.handlers.run_rig import run_rig
from tests.rigs.golden import check_limits
from tests.rigs.store import ALICE


def view_of(*fields, metadata=None, **values):
    view = forms.make_view(
        Form(fields),
        purpose="workspace",
        metadata=metadata or {},
        title="Workbench",
        username="alice",
        values=values,
    )
    check_limits(view)
    return [block["element"] for block in view["blocks"] if block["type"] == "input"], view


async def test_what_was_accepted_is_said_to_be_when_it_can_not_be_remembered():
    async with run_rig() as bot:
        bot.store.fails[form_rows.remember] = StoreBusy("busy")
        assert "Running *ls*" in words(await bot.say("job run --name ls -- ls", interaction="command:1"))
        view = (await bot.say("job run", trigger_id="t1")).view
        block = next(one for one in view["blocks"] if one.get("block_id", "").startswith("command"))
        state = {block["block_id"]: {"field:command": {"type": "plain_text_input", "value": "date"}}}
        sent = {**view, "state": {"values": state}}
        done = await submit(bot.services, ALICE, sent)
        assert done == {"response_action": "clear"}
        assert sorted(run.spec.text("command") for run in await bot.store.read(runs.list_runs, ALICE)) == [
            "date",
            "ls",
        ]


async def test_more_flags_than_anybody_writes_are_not_gone_through():
    async with run_rig() as bot:
        line = " ".join(f"--x{number} 1" for number in range(600))
        assert "too many flags for one line" in words(await bot.say(f"job run {line} -- ls"))
        assert await bot.store.read(runs.list_runs, ALICE) == []


def test_what_was_remembered_and_does_not_fit_any_more_is_not_proposed():
    number = Field("cpus", "Processors", "number", minimum=1, maximum=4)
    (element,), _ = view_of(number, cpus="8")
    assert "initial_value" not in element
    (element,), _ = view_of(number, cpus="many")
    assert "initial_value" not in element
    (element,), _ = view_of(number, cpus="4")
    assert element["initial_value"] == "4"
    (element,), _ = view_of(Field("name", "Name", "text", max_length=5), name="longer")
    assert len(element["initial_value"]) <= element["max_length"]


@pytest.mark.parametrize(
    ("bound", "written"),
    [(4, "4"), (2.0, "2"), (0.25, "0.25"), (0.00001, "0.00001"), (1e6, "1000000"), (1234567.5, "1234567.5")],
    ids=["integer", "whole", "fraction", "small", "million", "large fraction"],
)
def test_a_bound_of_a_number_is_written_in_full(bound, written):
    (element,), _ = view_of(Field("memory", "Memory", "number", minimum=-bound, maximum=bound))
    assert (element["min_value"], element["max_value"]) == (f"-{written}", written)


def test_a_choice_that_no_menu_hands_back_is_not_chosen_at_first():
    choices = (Choice("registry.example.test/" + "a" * 150, "long"), Choice("r:4", "short"))
    for kind in ("choice", "search"):
        (element,), _ = view_of(Field("image", "Image", kind, choices, choices[0].value))
        assert "initial_option" not in element
    (element,), _ = view_of(Field("image", "Image", "searches", choices, (choices[0].value, "r:4")))
    assert [one["value"] for one in element["initial_options"]] == ["r:4"]
    (element,), _ = view_of(Field("image", "Image", "choice", choices[:1]))
    assert element["type"] == "external_select"


def test_what_a_form_carries_never_breaks_it():
    text = "x" * 2900
    metadata = {"connection": "c", "purpose": "workspace", "chosen": {}, "proposed": {"a": text, "b": text}}
    _, view = view_of(Field("a", "A", "long_text", initial=text), metadata=metadata)
    assert len(view["private_metadata"]) <= limits.MAX_METADATA_LENGTH
    assert '"connection": "c"' in view["private_metadata"]


def test_empty_choice_is_offered_and_read_back():
    """Slack requires a value for each option, so an empty one is replaced on the way."""
    gpu = Field("gpu", "GPU", "choice", (Choice("", "None"), Choice("a100", "A100")), "a100")
    (element,), view = view_of(gpu)
    assert [one["text"]["text"] for one in element["options"]] == ["None", "A100"]
    none, a100 = element["options"]
    assert all(one["value"] for one in element["options"])
    block_id = next(block["block_id"] for block in view["blocks"] if block["type"] == "input")

    def read(option):
        chosen = {"field:gpu": {"type": "static_select", "selected_option": option}}
        return parse_values({**view, "state": {"values": {block_id: chosen}}})

    assert (read(none), read(a100), read(None)) == ({"gpu": ""}, {"gpu": "a100"}, {})
    (element,), _ = view_of(gpu, gpu="")
    assert element["initial_option"] == none


async def test_emptied_text_is_not_replaced_by_its_default():
    async with run_rig() as bot:
        view = (await bot.say("job run", trigger_id="t1")).view
        shown = {forms.get_field_name(block.get("block_id", "")): block for block in view["blocks"]}
        form = Form((Field("command", "Command", "text", initial="date"), Field("name", "Name", "text")))
        request = SimpleNamespace(view=view)
        assert "command" in shown
        assert _list_emptied(request, form) == {"command": ""}
