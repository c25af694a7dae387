"""An operator's week, played with the commands of the documentation, and what people read meanwhile."""

import re
import signal
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from playground.demo.person import spoken
from tests.app.operator import Operator
from tests.app.terminal import ADDRESS, local_services, usher
from tests.playground.slack_help import CHEN
from tests.rigs import earlier, postgres
from tests.rigs.disks import full_disk, small_disk
from tests.rigs.postgres_standby import own_server

#: Doctor warns if less than 100 MB of the disk is free.
DISK_SIZE = "128m"


class Week(Operator):
    """A week of an operator and a colleague, one method for each event."""

    def __init__(self, command, made, folders):
        self.disk, self.copies = folders
        super().__init__(command, self.disk, made.env)
        self.made, self.olivia, self.chen = made, made.person, made.colleague(CHEN, "Chen")

    async def set_up(self):
        """Answer the questions of ``up``, link, and start a workspace."""
        async with usher(self.command, self.disk, "up", **self.env) as (process, typist):
            await typist.types(*self.made.answers)
            said = await typist.sees("The log is usher.log.")
            await self.olivia.links(ADDRESS.search(said)[0])
            await self.olivia.starts("asleep")
            await typist.sees(
                "until you press Ctrl+C. After that, start it in this folder with `usher serve`."
            )
            process.send_signal(signal.SIGINT)
            await process.wait()
        await self.serve()
        said = await self.run("doctor")
        assert f"ok   connection posit: {self.made.posit} answers, and has accepted somebody's token" in said
        assert "BAD" not in said
        await self.chen.links_with("b1")

    async def back_up(self):
        """Move the backups to another disk, where Usher makes one at its start, and make another by hand."""
        assert "on the same disk as the database, in backups" in await self.run("doctor")
        self.set("USHER_BACKUPS", str(self.copies))
        await self.restart()
        await self.log_says("database backed up")
        assert [path.name[:6] for path in self.copies.iterdir()] == ["usher-"]
        assert "ok   for a team, backups: done" in await self.run("doctor")
        before = self.copies / "before.db"
        said = await self.run("store", "backup", str(before))
        assert said == f"Written: {before}. Keep the encryption keys elsewhere.\n"
        again = await self.run("store", "backup", str(before), status=1)
        assert again == f"{before} can't be written: File exists.\n"

    async def run_out_of_room(self):
        """Fill the disk.

        People and doctor are told, a start is refused, and work resumes once there is space again.
        """
        with full_disk(self.disk):
            await self.olivia.say("@bot", "stop asleep")
            await self.olivia.shown("I can't reach my own records right now, so this has to wait.")
            assert (await self.probe("readyz")).startswith("200")
            assert '"store": "the disk is full' in await self.probe("workz")
            said = await self.run("doctor", status=1)
            assert f"BAD  room for the database: 0 MB free in {self.disk}" in said
            assert "usher.db can't be opened: the disk is full; make room on it, then try again\n" in said
            assert "What to do: `usher docs incidents#the-database-cant-be-written`." in said
            assert await self.stop() == 0
            # Stopping has freed the space that the database's log took.
            with full_disk(self.disk, "more"):
                refused = await self.run("serve", status=1)
            assert refused.endswith("can't be opened: the disk is full; make room on it, then try again\n")
        await self.serve()
        assert "BAD" not in await self.run("doctor")

    async def upgrade(self):
        """Bring 0.3.1's database up to date, after a backup."""
        await self.stop()
        await earlier.turn_back(self.disk / "usher.db", "0.3.1")
        said = await self.run("doctor", status=1)
        gone = f"BAD  public address: nothing answers at http://localhost:{self.env['PORT']} (no connection)"
        assert re.findall("BAD .*", said) == [gone]
        assert "of an earlier release: the next start brings it up to date\n     Make a backup first" in said
        refused = await self.run("accounts", "list", status=1)
        assert "is of an earlier release. Make a backup, which is the way back" in refused
        await self.run("store", "backup", str(self.copies / "before-0.4.0.db"))
        assert "0063" in await self.run("migrate")
        assert (await self.run("migrate")).endswith("The database is up to date.\n")
        await self.serve()
        assert "2 accounts" in await self.run("doctor")

    async def rotate_the_key(self):
        """Change the encryption key as docs/operate.md says.

        Removing the old one too early is reported, and undone.
        """
        (old,) = re.findall(r"(?m)^USHER_ENCRYPTION_KEYS=(.*)$", (self.disk / ".env").read_text())
        new = (await self.run("keys", "new")).strip()
        self.set("USHER_ENCRYPTION_KEYS", new)
        await self.stop()
        refused = await self.run("serve", status=1)
        assert "opens none of the 2 stored secrets: put the old key back" in refused
        assert "BAD  encryption keys: USHER_ENCRYPTION_KEYS opens none" in await self.run("doctor", status=1)
        self.set("USHER_ENCRYPTION_KEYS", f"{new},{old}")
        await self.serve()
        assert await self.run("keys", "rotate") == "2 secrets are encrypted with the newest key.\n"
        self.set("USHER_ENCRYPTION_KEYS", new)
        await self.restart()
        assert "ok   encryption keys: 2 stored, and all open" in await self.run("doctor")

    async def say_goodbye(self):
        """Let Chen leave Slack. Chen's link ends, and the Usher admin reads what is still running."""
        await self.run("store", "backup", str(self.copies / "friday.db"))
        await self.made.slack.control.change_person(CHEN, deleted=True)
        told = await self.olivia.wait_for(
            "@bot", lambda message: "has left Slack" in spoken(message), "goodbye", 120.0
        )
        assert "*analysis* on Posit Workbench" in spoken(told)
        assert CHEN not in await self.run("accounts", "list")
        assert "ok   owed revocations: none" in await self.run("doctor")

    async def lose_the_disk(self, empty_disk):
        """Restore a backup to an empty disk as docs/incidents.md says. Chen's link ends again."""
        kept = {name: (self.disk / name).read_text() for name in (".env", "connections.toml")}
        await self.kill()
        empty_disk()
        said = await self.run("restored", str(self.copies / "friday.db"), status=2)
        assert "USHER_ENCRYPTION_KEYS: is not set" in said
        for name, text in kept.items():
            (self.disk / name).write_text(text)
            (self.disk / name).chmod(0o600)
        missing = self.copies / "thursday.db"
        said = await self.run("restored", str(missing), status=1)
        assert said == f"There's no file {missing}.\n"
        said = await self.run("restored", str(self.copies / "friday.db"))
        assert "their people are asked: nothing.\nTold that a link may be back: 2. Now start Usher.\n" in said
        await self.serve()
        await self.olivia.shown("Nothing was planned in it.")
        await self.until(lambda listed: CHEN not in listed, "accounts", "list")
        assert "BAD" not in await self.run("doctor")

    async def move_to_postgresql(self, server):
        """Move to PostgreSQL, take the server down and bring it up again, and restore a dump."""
        with postgres.connected(server.url) as connection:
            connection.execute("CREATE DATABASE usher")
        url = urlsplit(server.url)._replace(path="/usher").geturl()
        await self.stop()
        said = await self.run("store", "copy", "sqlite:///usher.db", url)
        assert "nothing differs.\nNow set USHER_DATABASE_URL to the new database" in said
        self.set("USHER_DATABASE_URL", f"'{url}'")
        await self.serve()
        assert "backups: Usher doesn't know, as PostgreSQL's are made without it" in await self.run("doctor")
        server.go_away()
        await self.olivia.say("@bot", "list")
        await self.log_says("outage reply sent")
        said = await self.probe("workz")
        assert re.search(r'"store": "postgresql://\S+ can.t be opened: no server answers there: start', said)
        said = await self.run("doctor", status=1)
        assert "no server answers there: start it, or correct the address\n     What to do:" in said
        await self.stop()
        await self.begin_serving()
        await self.log_says("database not reached")
        assert (await self.probe("readyz")).startswith("503")
        server.come_back()
        await self.until_ready()
        assert "BAD" not in await self.run("doctor")
        await self.stop()


@pytest.mark.thorough
@pytest.mark.timeout(600)
async def test_week_of_an_operator(installed, tmp_path):
    disk, copies = tmp_path / "my-usher", tmp_path / "copies"
    for folder in (disk, copies):
        folder.mkdir(mode=0o700)
    with ExitStack() as mounted:
        mounted.enter_context(small_disk(disk, DISK_SIZE))

        def empty_disk():
            mounted.close()
            mounted.enter_context(small_disk(disk, DISK_SIZE))

        async with local_services() as made, Week(installed, made, (disk, copies)) as week:
            await week.set_up()
            await week.back_up()
            await week.run_out_of_room()
            await week.upgrade()
            await week.rotate_the_key()
            await week.say_goodbye()
            await week.lose_the_disk(empty_disk)
            with own_server() as server:
                await week.move_to_postgresql(server)
