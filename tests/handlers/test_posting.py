"""Posting a class card: what it says, what it creates, and what is refused."""

import pytest

from bot.domain.forms import Spec
from bot.domain.notices import NoticeKind
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import TaskKind
from bot.store import courses as store
from bot.store import snapshots, tasks
from handlers.replaying import replay
from tests.handlers.class_rig import TRAINER, class_rig, offer, posted
from tests.handlers.rig import activate, buttons, invited, rig, staged, words
from tests.handlers.slack import bolt_for, interaction, little_slack, send
from tests.handlers.test_course_pages import sent
from tests.rigs.clock import FakeClock
from tests.rigs.golden import check_golden
from tests.rigs.maker import OFFER, Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import linked

bot = staged(class_rig)


async def test_a_card_is_written_with_its_notice_and_its_audit(bot):
    answer = await bot.say("card notebook --title Data Science 101 --until 23:59 --max 60", TRAINER)
    check_golden("answers/class-posted", answer)
    (notice,) = await bot.notices()
    assert (notice.kind, notice.principal, notice.body["channel_id"]) == (
        NoticeKind.CLASS_CARD,
        TRAINER,
        "C1",
    )
    card = await bot.store.read(store.find_card, notice.subject)
    assert (card.title, card.pattern, card.maximum, card.spec) == ("Data Science 101", "notebook", 60, None)
    assert (card.time_zone, card.connection) == ("Europe/Berlin", "saturn")
    entry = (await bot.audit())[-1]
    assert (entry["actor"], entry["action"]) == (TRAINER.key, "class.post")


async def test_a_name_that_is_not_known_is_asked_about_and_the_flags_stay(bot):
    await linked(bot.store, TRAINER, names=["notebook"])
    answer = await bot.say("card notebok --title Data Science 101 --max 60", TRAINER)
    check_golden("answers/class-name-unknown", answer)
    assert await bot.notices() == []
    command = buttons(answer)["Post a card for notebok"]["value"]
    await bot.press("say", command, TRAINER)
    (notice,) = await bot.notices()
    card = await bot.store.read(store.find_card, notice.subject)
    assert (card.pattern, card.title, card.maximum) == ("notebok", "Data Science 101", 60)


async def test_a_card_of_a_template_holds_what_is_made(bot):
    await offer(bot)
    card = await posted(bot, "card saturn/kubernetes --title 'R for all'")
    assert card.spec == Spec("usher-class", {"cluster": "Kubernetes", "cpus": "1", "template": "kubernetes"})
    assert (card.template, card.title, card.pattern) == ("Kubernetes", "R for all", "")


async def test_a_template_that_is_not_offered_is_said_with_those_that_are(bot):
    await offer(bot)
    answer = await bot.say("card saturn/mainframe", TRAINER)
    assert (
        "no template called *mainframe* for you on Saturn Cloud. Choose from: `Local`, `Kubernetes`."
        in words(answer)
    )
    assert await bot.notices() == []


async def test_what_is_not_known_yet_is_asked_for_and_the_card_follows(bot):
    account = await activate(bot.store, TRAINER, "saturn", "tara")
    answer = await bot.say("card saturn/local --title Maths", TRAINER)
    assert "Checking what Saturn Cloud offers" in words(answer)
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    assert task.kind is TaskKind.SNAPSHOT
    (waiting,) = task.payload["then"]
    assert await bot.say(waiting["text"], TRAINER, looked=tuple(waiting["looked"]))
    # The list didn't arrive, and the provider's own reason is given, as `new` and `run` do.
    await replay(bot.services, TRAINER, waiting | {"task": "t0", "problem": "forbidden: members only"})
    (told,) = await bot.notices()
    assert "Saturn Cloud says: “members only.”" in str(told.body)
    await bot.store.write(snapshots.save_snapshot, Snapshot("saturn", account.id, "templates", OFFER, 1.0))
    await replay(bot.services, TRAINER, waiting | {"task": "t1"})
    notices = await bot.notices(NoticeKind.CLASS_CARD)
    assert (await bot.store.read(store.find_card, notices[0].subject)).title == "Maths"


async def test_form_that_asks_the_provider_first_becomes_its_answer(bot):
    account = await activate(bot.store, TRAINER, "saturn", "tara")
    form = (await bot.press("card_form", "", TRAINER)).view
    state = sent(what="saturn/local", title="Maths", channel="C7")
    async with little_slack() as slack:
        body = interaction("view_submission", TRAINER) | {"view": {**form, "id": "V7", "state": state}}
        shown = (await send(bolt_for(bot.services, slack), body)).body["view"]
    assert "Checking what Saturn Cloud offers" in str(shown["blocks"])
    waits = [one for one in await bot.store.claim(tasks.claim_tasks, 10, 60.0) if one.payload.get("then")]
    (waiting,) = waits[0].payload["then"]
    await bot.store.write(snapshots.save_snapshot, Snapshot("saturn", account.id, "templates", OFFER, 1.0))
    await replay(bot.services, TRAINER, waiting | {"task": "t1"})
    (reply,) = await bot.notices(NoticeKind.REPLY)
    assert reply.body["external_id"] == shown["external_id"]
    assert reply.body["view"]["title"] == shown["title"]
    assert "Posting *Maths* in <#C7>" in str(reply.body["view"]["blocks"])


async def test_form_saved_again_after_a_lost_answer_gets_a_new_link(bot):
    form = (await bot.press("card_form", "", TRAINER)).view
    state = sent(what="saturn/local", title="Maths", channel="C7")
    view = {**form, "id": "V7", "hash": "1.a", "state": state}
    async with little_slack() as slack:
        app, body = bolt_for(bot.services, slack), interaction("view_submission", TRAINER, view=view)
        shown = [(await send(app, body)).body for _ in range(2)]
    assert ["Link Saturn Cloud" in str(one) for one in shown] == [True, True]
    waiting = [command["text"] for _, _, command in await invited(bot) if command is not None]
    assert waiting == ["card saturn/local --title Maths"]


async def test_who_posts_a_template_links_first(bot):
    answer = await bot.say("card saturn/local", TRAINER)
    assert "Link Saturn Cloud" in buttons(answer)
    assert (await invited(bot))[-1][2]["text"] == "card saturn/local"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("card", "or type `/workspace card CONNECTION/TEMPLATE`"),
        ("card --title X", "Type `/workspace card CONNECTION/TEMPLATE`"),
        ("card notebook --until soon", "I can't read *soon* as a time."),
        ("card notebook --until", "Tell me when"),
        ("card notebook --until 25:00", "as a time. Type it as `18:00`"),
        ("card notebook --max many", "`--max` takes a whole number from 1 to 5000."),
        ("card notebook --max 0", "`--max` takes a whole number"),
        ("card notebook --title", "A title can have 1 to 80 characters."),
        (f"card notebook --title {'x' * 81}", "A title can have 1 to 80 characters."),
        ("card saturm/course", "I don't have a connection called *saturm*."),
        ("card notebook --colour red", "`/workspace card` has no option `--colour`"),
    ],
)
async def test_a_line_that_can_not_be_meant_is_said_whole(bot, text, said):
    assert said in words(await bot.say(text, TRAINER))
    assert await bot.notices() == []


async def test_an_end_that_is_too_soon_is_refused_and_a_past_one_is_tomorrow(bot):
    # It is 09:00 in Berlin.
    assert "at least 10 min from now" in words(await bot.say("card notebook --until 9:05", TRAINER))
    card = await posted(bot, "card notebook --until 08:59")
    assert card.stops_at == bot.clock.now() + 86_400 - 60
    said = words(await bot.say("card notebook --until 08:59", TRAINER))
    assert f"Sat 16 Jan at <!date^{card.stops_at:.0f}^{{time}}|" in said


async def test_not_in_a_direct_message(bot):
    answer = await bot.direct("card notebook", TRAINER)
    assert "A class card belongs in a channel." in words(answer)
    assert await bot.notices() == []


async def test_with_several_connections_the_one_is_named():
    clock = FakeClock()
    makers = {name: Maker(clock, fake_settings(name, title=name.title())) for name in ("one", "two")}
    async with rig(connections=makers) as bot:
        answer = await bot.say("card notebook", TRAINER)
        assert "Which connection is *notebook* on?" in words(answer)
        assert (await posted(bot, "card notebook@two")).connection == "two"
        await linked(bot.store, TRAINER, ("training",), connection="one")
        assert (await posted(bot, "card training")).connection == "one"
