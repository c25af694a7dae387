"""Hours set by the form from Home, and by sentences; an open Home shows them."""


async def test_hours_by_form_sentence_and_home(linked):
    alice = linked.alice
    await alice.opens_home()
    await linked.pass_time(15)
    await alice.presses_home("Hours…", "report")
    assert alice.modal()["callback_id"] == "hours"
    late = await alice.submits(days=["mon"], **{"from": "09:00"}, until="09:10")
    assert late["errors"] == {"until": "Choose a time at least 30 minutes after the start."}
    assert (await alice.submits(days=["mon", "tue"], **{"from": "09:00"}, until="18:00"))["ok"]
    assert "Hours: Mon, Tue 09:00–18:00" in alice.home().text
    said = await alice.types("start my notebook every day at 9pm")
    assert "every day from 21:00" in said.text
    assert {"Skip today", "Pause until Monday", "Turn hours off"} <= set(said.labels)
    assert "Hours: every day from 21:00" in alice.home().text
    once = await alice.types("start training in 2 minutes")
    assert "I'll start it" in once.text
    assert "Hours: 15 Jan from 08:03" in alice.home().text
