"""Methods on jobs: the request's body and the answer, each, and the stream of an output."""

import json

import pytest

from bot.providers.posit.client import Chunk
from bot.support import errors
from tests.providers.posit.fake import CREDENTIAL, TOKEN, FakeWorkbench, streamed

JOB = {
    "id": "77",
    "cluster": "Local",
    "name": "JobTest.R",
    "user": "jvroom",
    "queues": [],
    "workingDirectory": "/home/j",
    "host": "localhost",
    "status": "Pending",
    "pid": 729383,
    "command": "",
    "exe": "/bin/bash",
    "args": ["-c", "R -f /tmp/JobTest.R"],
    "environment": [],
    "placementConstraints": [],
    "lastUpdateTime": "2024-10-01T20:49:32.294130Z",
    "submissionTime": "2024-10-01T20:49:32.294014Z",
    "exposedPorts": [],
    "config": [],
    "resourceLimits": [],
    "tags": [],
    "metadata": {},
    "resourceProfile": "custom",
}
LAUNCH = {
    "job": {
        "name": "Job Test",
        "cluster": "Local",
        "exe": "/bin/bash",
        "command": None,
        "args": ["-c", "R -f JobTest.R"],
    },
    "apply_config_settings": None,
}


@pytest.mark.parametrize(
    "answer",
    [{"result": {"result": {"job": JOB}}}, {"result": {"job": JOB}}, {"job": JOB}, {"result": JOB}],
    ids=["as in the reference", "once", "bare", "without job"],
)
async def test_a_job_comes_out_of_every_wrapping(fake: FakeWorkbench, answer):
    fake.answer = answer
    job = await fake.client.launch_job(CREDENTIAL, LAUNCH)
    assert fake.kwparams == {
        "job": {"name": "Job Test", "cluster": "Local", "exe": "/bin/bash", "args": ["-c", "R -f JobTest.R"]}
    }
    assert (job.id, job.status, job.user) == ("77", "Pending", "jvroom")
    assert job.submitted_at == pytest.approx(1727815772.294014, abs=1e-5)
    assert job.updated_at == pytest.approx(1727815772.294130, abs=1e-5)


@pytest.mark.parametrize("answer", [{"result": {"job": {}}}, {"result": {}}, b"", b"<html>", {"result": []}])
async def test_a_launch_without_a_job_is_an_unknown_outcome(fake: FakeWorkbench, answer):
    fake.answer = answer
    with pytest.raises(errors.UnknownOutcome):
        await fake.client.launch_job(CREDENTIAL, LAUNCH)


@pytest.mark.parametrize("identifier", ["", ".", "..", "a b", "a,b", "\udc80"])
async def test_an_id_that_is_none_is_never_sent(fake: FakeWorkbench, identifier):
    with pytest.raises(errors.NotFound):
        await fake.client.stop_job(CREDENTIAL, identifier)
    with pytest.raises(errors.NotFound):
        async with fake.client.get_job_output(CREDENTIAL, identifier):
            pass
    assert fake.asked == []


def line(text: str, kind: str = "stdout") -> bytes:
    return json.dumps({"jobId": "77", "outputType": kind, "output": text}).encode()


async def read(fake: FakeWorkbench, **options) -> list[Chunk]:
    async with fake.client.get_job_output(CREDENTIAL, "77", **options) as output:
        return [chunk async for chunk in output]


async def drain(fake: FakeWorkbench, got: list[Chunk], **options) -> None:
    async with fake.client.get_job_output(CREDENTIAL, "77", **options) as output:
        async for chunk in output:
            got.append(chunk)  # noqa: PERF401 - what came before an error counts


@pytest.mark.parametrize(
    ("pieces", "is_cut"), [([line("one"), line("two")[:9]], False), ([line("one")], True)]
)
async def test_a_cut_gives_what_came_and_then_an_unknown_outcome(fake: FakeWorkbench, pieces, is_cut):
    fake.answer = streamed(*pieces, is_cut=is_cut)
    got: list[Chunk] = []
    with pytest.raises(errors.UnknownOutcome):
        await drain(fake, got)
    assert got == [Chunk("stdout", "one")]


@pytest.mark.parametrize(
    ("code", "kind"), [(14, errors.NotFound), (404, errors.NotFound), (200, errors.ServerFailed)]
)
async def test_an_error_inside_comes_after_what_was_before_it(fake: FakeWorkbench, code, kind):
    error = json.dumps({"error": {"code": code, "message": f"gone {TOKEN}"}}).encode()
    fake.answer = streamed(line("one") + error)
    got: list[Chunk] = []
    with pytest.raises(kind, match="gone …"):
        await drain(fake, got)
    assert got == [Chunk("stdout", "one")]


async def test_a_refusal_before_the_stream_is_an_error_of_its_own(fake: FakeWorkbench):
    fake.answer, fake.status = {"error": {"code": 14, "message": "no such job"}}, 400
    with pytest.raises(errors.NotFound, match="no such job"):
        await read(fake)
    fake.answer, fake.status = b"<html>", 302
    with pytest.raises(errors.PermanentError, match="base_url"):
        await read(fake)
    fake.answer, fake.status = b"<html>", 200
    with pytest.raises(errors.BadAnswer):
        await read(fake)
    fake.answer, fake.status = {"result": []}, 204
    with pytest.raises(errors.ProviderError):
        await read(fake)
