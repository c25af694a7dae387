"""The output of runs, on cards and in files: streams kept apart, no control codes, each line once."""


def is_shown(person, words="so far"):
    """Return whether a run's card shows some of its output."""
    return any(words in card.text for card in person.told("job_card"))


async def runs(world, words):
    await world.alice.types(f"run wb --name loud -- print-lines {words}", command="/job")


async def is_whole(world, count=1):
    """Advance the clock until the file is there, and return its lines."""
    alice = world.alice
    await world.until(lambda: len(world.slack.files(alice.id)) >= count and alice.told("job_ended"), step=0.5)
    return world.file_of(world.alice).splitlines()


async def test_output_stands_on_the_card_told_apart_and_without_colours(linked):
    alice = linked.alice
    await runs(linked, "lines=50 rate=2 stderr_every=10 ansi unicode")
    await alice.types("logs loud", command="/job")
    await linked.until(lambda: is_shown(alice, "line 12 "), step=0.5)
    card = alice.only("job_card").text
    assert "Running since" in card
    assert "! line 10" in card
    assert "\x1b" not in card
    assert "lines so far" in card
    assert "lines marked ! are stderr" in card
    lines = await is_whole(linked)
    marks = ["! " if number % 10 == 0 else "" for number in range(1, 51)]
    assert lines == [f"{mark}line {number} – naïve Größe 数据 🚀" for number, mark in enumerate(marks, 1)]
    (file,) = linked.thread(alice, "loud")
    assert "The full output of loud" in file.text
    assert alice.only("job_ended")


async def test_a_stream_that_breaks_off_goes_on_without_repeating(linked):
    linked.stream_meets("cut", after_lines=40, times=2)
    linked.stream_meets("close", after_lines=75)
    await runs(linked, "lines=100 rate=5 stderr_every=3")
    lines = await is_whole(linked)
    assert [line.removeprefix("! ") for line in lines] == [f"line {number}" for number in range(1, 101)]
    assert linked.asked("get_job_output") >= 4
    assert linked.alice.only("job_ended")


async def test_a_server_that_ends_every_stream_after_a_while_loses_nothing(linked):
    linked.switch(stream_seconds=5.0, lines_per_object=7, characters_per_object=11)
    await runs(linked, "lines=60 rate=2")
    assert await is_whole(linked) == [f"line {number}" for number in range(1, 61)]


async def test_an_error_that_stays_is_told_in_the_file_and_the_end_is_told_all_the_same(linked):
    linked.stream_meets("error", after_lines=10, times=10_000)
    await runs(linked, "lines=20 rate=5")
    lines = await is_whole(linked)
    assert lines[:10] == [f"line {number}" for number in range(1, 11)]
    assert lines[-1].startswith("[Usher: the output couldn't be read completely.")
    assert "is done" in linked.alice.only("job_ended").text


async def test_a_silent_job_does_not_time_out(linked):
    alice = linked.alice
    await runs(linked, "lines=3 silent=7200")
    await linked.pass_time(7000, step=100)
    assert "Running since" in alice.only("job_card").text
    assert alice.told("job_ended") == []
    assert linked.asked("get_job_output") == 1
    await linked.until(lambda: alice.told("job_ended"), step=0.5)
    assert "is done after 2 h" in alice.only("job_ended").text
    assert "line 1\nline 2\nline 3\n" in alice.only("job_ended").text
    # The message contains the whole output, so no file is sent.
    await linked.pass_time(60, step=5)
    assert linked.slack.files(alice.id) == []


async def test_a_job_that_writes_nothing_has_no_file(linked):
    alice = linked.alice
    await runs(linked, "lines=0 silent=5")
    await linked.until(lambda: alice.told("job_ended"), step=0.5)
    await linked.pass_time(20)
    assert linked.slack.files(alice.id) == []
    answer = await alice.types("logs loud", command="/job")
    assert "I'll send the full output of *loud* as a file" in answer.text
    await linked.pass_time(20)
    assert "*loud* wrote no output." in alice.only("job_problem").text


async def test_a_restart_in_the_middle_repeats_no_line(linked):
    alice = linked.alice
    await runs(linked, "lines=80 rate=2")
    await alice.types("logs loud", command="/job")
    await linked.until(lambda: is_shown(alice), step=0.5)
    await linked.stop_bot()
    linked.clock.advance(5)
    await linked.start_bot()
    assert await is_whole(linked) == [f"line {number}" for number in range(1, 81)]
    assert (alice.told("job_card"), len(alice.told("job_ended"))) == ([], 1)


async def test_logs_that_are_asked_for_again_come_again(linked):
    alice = linked.alice
    await runs(linked, "lines=50 rate=5")
    await is_whole(linked)
    answer = await alice.types("logs loud", command="/job")
    assert "I'll send the full output of *loud* as a file, in its thread" in answer.text
    await linked.pass_time(20)
    assert len(linked.slack.files(alice.id)) == 2


async def test_a_file_that_slack_does_not_take_is_told(linked):
    linked.slack_fails(
        "files.getUploadURLExternal", times=1000, status=200, body='{"ok":false,"error":"missing_scope"}'
    )
    alice = linked.alice
    await runs(linked, "lines=50 rate=5")
    await linked.until(lambda: alice.told("job_problem") and alice.told("job_ended"), step=1)
    assert "files:write" in alice.only("job_problem").text
    assert "line 50" in alice.only("job_ended").text


async def test_twenty_streams_share_what_slack_takes(linked):
    alice = linked.alice
    for number in range(20):
        await alice.types(f"run wb --name job-{number} -- print-lines lines=300 rate=1", command="/job")
        await linked.pass_time(1)
    await linked.until(lambda: all("so far" in one.text for one in alice.told("job_card")), step=1)
    counted = linked.slack.harness.requests["POST /api/chat.update"]
    await linked.pass_time(60)
    assert linked.slack.harness.requests["POST /api/chat.update"] - counted <= 50
    assert linked.slack.harness.violations == []
