"""Typing mistakes of people, and odd names from programs: the answer is clear, and nothing is half done."""

import re

import pytest

from tests.rigs.scenario import ID, SEED

GENERAL = "C0GENERAL"
REFERENCE = re.compile(r"Reference (\w{4}-\w{4})")
NAMES = [
    "<!channel> now",
    'a "quoted" name',
    "it's ours",
    "x & y < z > w",
    "🚀 launch 你好",
    "<@U0CHEN> owns <http://evil.example>",
    "*bold* _it_ `code` ~no~",
    "<script>alert(1)</script>",
    "n" * 1900,  # A command is at most 2,000 characters long.
]
ODD = {
    **SEED,
    "workspaces": [
        {"owner": "alice", "name": name, "id": f"{number:032x}"} for number, name in enumerate(NAMES, 100)
    ],
}
TWICE = {
    **SEED,
    "workspaces": [
        {"owner": "alice", "name": "twin", "id": "a" * 32},
        {"owner": "alice", "name": "twin", "id": "b" * 32},
        {"owner": "alice", "name": "twinkle", "id": "c" * 32},
    ],
}


NEXT_STEPS = {
    "strat notebook": "Do you mean this?",
    "start notebok": "Did you mean this one?",
    "stop such nonsense": "I can't find a workspace called *such nonsense*.",
    "open": "Which workspace?",
    "unlink mars": "I don't have a connection called *mars*.",
    "help fly": "I don't have a command called *fly*.",
}


async def test_what_nobody_understands_is_answered_with_the_next_step_and_no_reference(linked):
    for text, said in NEXT_STEPS.items():
        linked.clock.advance(5)
        shown = await linked.alice.types(text)
        assert said in shown.text
        assert shown.is_private
        assert REFERENCE.search(shown.text) is None
    assert linked.calls("POST") == 0


async def test_a_misspelt_name_is_offered_as_a_button_and_not_run_by_itself(linked):
    alice = linked.alice
    shown = await alice.types("start trainin9")
    await linked.pass_time(20)
    assert linked.calls("POST") == 0
    label = next(label for label in shown.labels if "training" in label)
    await alice.presses(shown, label)
    await linked.pass_time(30)
    assert "*training* is ready" in alice.only("ready").text


TYPED = (
    "start “training”",
    "start \N{LEFT SINGLE QUOTATION MARK}training\N{RIGHT SINGLE QUOTATION MARK}",
    "START TRAINING",
    "Start:  training",
    "`start training`",
    "start training —wait",
    "/workspace start training",
)


async def test_what_keyboards_and_help_texts_make_of_words_is_understood(linked):
    alice = linked.alice
    for number, text in enumerate(TYPED, 1):
        shown = await alice.types(text)
        assert shown.is_private
        await linked.pass_time(30)
        assert len(alice.told("ready")) == number, shown.text
        await alice.types("stop training")
        await linked.pass_time(30)


async def test_links_that_slack_has_encoded_are_understood_in_a_message_too(linked):
    alice = linked.alice
    await alice.types("forget training")
    page = f"{linked.saturn_url}/dash/resources/workspace/{ID['training']}"
    (told,) = await alice.writes(f"add {page}")
    assert "training" in told.text
    assert "on your list" in told.text


async def test_odd_white_space_and_invisible_characters_break_nothing(linked):
    for text in ("", "   ", "\n", "start\nnotebook", "start \x00\u202enotebook\u200b"):
        shown = await linked.alice.types(text)
        assert shown.text
        assert "Something went wrong" not in shown.text


@pytest.mark.parametrize("bare", [{"saturn_seed": ODD}], indirect=True)
async def test_names_full_of_marks_are_shown_as_they_are_and_call_nobody(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    shown = await alice.types("list")
    raw = str(shown.json)
    for forbidden in ("<!channel>", "<@U0CHEN>", "<http", "<script>"):
        assert forbidden not in raw
    assert "&lt;!channel&gt; now" in raw
    assert raw.count("'Start'") == len(NAMES)


@pytest.mark.parametrize("bare", [{"saturn_seed": ODD}], indirect=True)
async def test_a_workspace_of_any_name_is_started_by_its_button_and_by_its_name(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    for number, name in enumerate(NAMES):
        typed = f"'{name}'" if '"' in name else name
        shown = await alice.types(f"status {typed}")
        assert "Stopped" in shown.text, shown.text
        await alice.presses(shown, "Start")
        await bare.pass_time(30)
        ready = alice.told("ready")[-1]
        assert len(alice.told("ready")) == number + 1
        assert ready.address("Open").endswith(f"/ide/{number + 100:032x}/")
        assert "<!channel>" not in str(ready.json)
        await alice.types(f"stop {typed} --yes")
        await bare.pass_time(30)
        assert len(alice.told("stopped")) == number + 1


async def test_five_thousand_characters_are_answered_with_a_sentence(linked):
    for text in (
        "start " + "x" * 5000,
        "x" * 5000,
        "start " + "<!channel>" * 500,
        "alias notebook " + "y" * 5000,
    ):
        shown = await linked.alice.types(text)
        assert shown.text
        assert len(shown.text) < 3500
        assert "<!channel>" not in str(shown.json)
    assert linked.calls("POST") == 0


@pytest.mark.parametrize("bare", [{"saturn_seed": TWICE}], indirect=True)
async def test_two_of_the_same_name_are_asked_about_and_either_can_be_meant(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    asked = await alice.types("start twin")
    assert "You have more than one *twin*, on Saturn Cloud. Which one?" in asked.text
    assert bare.calls("POST") == 0
    assert len([label for label in asked.labels if "twin" in label]) >= 1 or len(asked.labels) == 2
    await alice.clicks(asked, asked.button(asked.labels[1])["action_id"])
    await bare.pass_time(30)
    ready = alice.only("ready")
    chosen = ready.address("Open").rstrip("/").rpartition("/")[2]
    assert chosen in {"a" * 32, "b" * 32}
    other = "a" * 32 if chosen[0] == "b" else "b" * 32
    await alice.types(f"start {other}@saturn")
    await bare.pass_time(30)
    assert {shown.address("Open").rstrip("/").rpartition("/")[2] for shown in alice.told("ready")} == {
        "a" * 32,
        "b" * 32,
    }
