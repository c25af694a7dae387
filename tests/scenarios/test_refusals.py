"""Refused calls, with the whole bot: the state of the workspace and the credential, and the message."""

import json

import pytest

from tests.rigs.scenario import ID

HTML = "<html><body>Service unavailable</body></html>"


def says(**body):
    return json.dumps(body)


def told(person):
    """Return everything that the person has read in direct messages."""
    return "\n".join(shown.text for shown in person.hears())


#: Refusals of a start that prove nothing about the workspace or the token, and the text that the person
#: reads.
ABOUT_THE_CALL = [
    pytest.param(
        410,
        says(message="This image was retired on 1 September. Choose a newer one."),
        "“This image was retired on 1 September. Choose a newer one.”",
        id="410-with-words",
    ),
    pytest.param(404, says(message="No such size: xl"), "“No such size: xl.”", id="404-with-words"),
    pytest.param(404, "{}", "Saturn Cloud didn't give a reason.", id="404-without-words"),
    pytest.param(
        403, says(message="Starts are off until 6 PM"), "“Starts are off until 6 PM.”", id="403-with-words"
    ),
    pytest.param(
        401,
        says(message="Accept the new terms on your profile page first"),
        "“Accept the new terms on your profile page first.”",
        id="401-with-words",
    ),
    pytest.param(
        400,
        says(message="Unable to validate", detail="memory: 1024 is less than 2048"),
        "“Unable to validate: memory: 1024 is less than 2048.”",
        id="400-with-detail",
    ),
    pytest.param(
        422,
        says(detail=[{"loc": ["body", "region"], "msg": "a value is required", "type": "missing"}]),
        "“region: a value is required.”",
        id="422-with-fields",
    ),
    pytest.param(401, says(message="Your trial has expired"), "“Your trial has expired.”", id="401-expired"),
    pytest.param(403, HTML, "Something in front of Saturn Cloud refused this.", id="403-page"),
    pytest.param(400, "", "Saturn Cloud didn't give a reason.", id="400-without-words"),
]


@pytest.mark.parametrize(("status", "body", "words"), ABOUT_THE_CALL)
async def test_refused_start_says_the_words_alone(linked, status, body, words):
    """Meanwhile, the workspace can be read, and the person's token is accepted."""
    alice = linked.alice
    linked.saturn_fails(f"{ID['notebook']}/start$", times=99, status=status, body=body)
    await alice.writes("start notebook")
    await linked.pass_time(150, step=5)
    failed = alice.only("failed")
    assert words in failed.text
    assert not alice.told("sign_in_refused")
    for unproven in (
        "can't find it",
        "Link again",
        "for permission",
        "hasn't been available",
        "you asked for",
    ):
        assert unproven not in told(alice)
    assert linked.calls(f"POST .*{ID['notebook']}/start") == (2 if status == 401 else 1)
    linked.heal()
    await alice.writes("start notebook")
    await linked.pass_time(60, step=5)
    assert alice.only("ready")


async def test_refused_stop_says_the_words_and_keeps_the_workspace(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(60, step=5)
    body = says(message="Locked by your administrator until Friday")
    linked.saturn_fails("/stop$", times=99, status=404, body=body)
    await alice.writes("stop notebook")
    await linked.pass_time(60, step=5)
    assert "“Locked by your administrator until Friday.”" in alice.only("failed").text
    (listed,) = await alice.writes("list")
    assert "notebook" in listed.text


async def test_one_stray_401_changes_nothing(linked):
    alice = linked.alice
    linked.saturn_fails("/start$", times=1, status=401, body=says(message="Please wait"))
    await alice.writes("start notebook")
    await linked.pass_time(90, step=5)
    assert alice.only("ready")
    assert not alice.told("failed") + alice.told("sign_in_refused")


async def test_refused_token_is_told_as_such(linked):
    """No call accepts the token, so the user has to link again."""
    alice = linked.alice
    linked.saturn_fails("/api/", times=999, status=401, body=says(message="Invalid token"))
    await alice.writes("start notebook")
    await linked.pass_time(120, step=5)
    assert alice.only("sign_in_refused")
    assert not alice.told("failed")


async def test_stop_of_what_has_just_stopped_is_done(linked):
    """A culler stopped it first. The read just before the call still showed it as running."""
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(60, step=5)
    linked.saturn_fails("/stop$", after=True, status=400, body=says(message="Workspace is not running"))
    await alice.writes("stop notebook")
    await linked.pass_time(60, step=5)
    assert "has stopped" in told(alice)
    assert not alice.told("failed")


@pytest.mark.parametrize("is_down", [True, False])
async def test_read_decides_about_a_refused_stop(linked, is_down):
    """The result doesn't depend on the language of the refusal."""
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(60, step=5)
    linked.saturn_fails("/stop$", times=9, after=is_down, status=400, body=says(message="已停止"))
    await alice.writes("stop notebook")
    await linked.pass_time(60, step=5)
    assert ("已停止" in told(alice)) is not is_down
    assert len(alice.told("stopped" if is_down else "failed")) == 1


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, says(message='User is not active (status = "suspended"). Contact an admin.'), "is not active"),
        (401, HTML, "Something in front of Saturn Cloud refused this."),
        (403, HTML, "Something in front of Saturn Cloud refused this."),
    ],
    ids=["suspended", "401-page", "403-page"],
)
async def test_refused_account_or_door_asks_nobody_to_link(linked, status, body, words):
    """All calls are refused, and would be with any other credential."""
    alice = linked.alice
    linked.saturn_fails("/api/", times=9999, status=status, body=body)
    await alice.writes("start notebook")
    await linked.pass_time(120, step=5)
    assert words in alice.only("failed").text
    assert "Link again" not in told(alice)
    assert not alice.told("sign_in_refused")


async def test_provider_that_lost_track_is_told_as_such(linked):
    """The provider refuses to stop the workspace as it isn't running, but keeps reporting that it is."""
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(60, step=5)
    linked.saturn_fails("/stop$", times=99, status=400, body=says(message="The workspace is not running"))
    await alice.writes("stop notebook")
    await linked.pass_time(120, step=5)
    text = alice.only("failed").text
    assert "seems to have lost track of it" in text
    assert "“The workspace is not running.”" in text
    assert "Ask your Saturn Cloud admin" in text


async def test_silence_goes_from_the_card_once_something_answers(linked):
    """The start is waiting for its next attempt when another call gets an answer."""
    alice = linked.alice
    linked.saturn_fails("/api/", times=999, status=503, body=HTML)
    await alice.types("start notebook")
    await linked.pass_time(100, step=5)
    assert "hasn't been available since" in alice.card.text
    linked.heal()
    linked.saturn_fails(f"{ID['notebook']}/start$", times=99, status=429, headers={"Retry-After": "300"})
    await alice.writes("list")
    await linked.pass_time(40, step=2)
    assert "hasn't been available since" not in alice.card.text


async def test_refused_read_of_one_workspace_asks_nobody_to_link_again(linked):
    """Meanwhile, the list is read successfully with the same token."""
    alice = linked.alice
    body = says(message="This project is locked")
    linked.saturn_fails(rf"GET /api/workspaces/{ID['notebook']}$", times=99, status=401, body=body)
    await alice.writes("start notebook")
    await linked.pass_time(400, step=5)
    assert not alice.told("sign_in_refused")
    assert "“This project is locked.”" in alice.only("failed").text
