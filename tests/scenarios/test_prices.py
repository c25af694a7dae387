"""Sizes and prices: in the form, on the card, and in the record of a workspace's life."""

import json
from decimal import Decimal

from bot.domain.prices import Price
from bot.store import usage, workspaces
from tests.contract.providers.rigs import COURSE
from tests.rigs.scenario.cloud import cloud_world
from tests.rigs.scenario.stage import inject_fault

TEMPLATE = {"name": "course", "file": str(COURSE), "price_per_hour": 0.5}


async def read_row(world, name):
    rows = await world.bot.store.perform(workspaces.read_workspaces, world.principal())
    return next(row for row in rows if row.name == name)


async def list_prices(world, row):
    lives = await world.bot.store.read(usage.read_lives_of_person, world.principal(), 0.0, 4e9)
    return [life.price for life in lives if life.workspace_id == row.id]


async def test_price_is_in_the_form_on_the_card_and_in_the_life(tmp_path):
    given = {"currency": "EUR", "templates": [TEMPLATE]}
    async with cloud_world(tmp_path, saturn=given) as world:
        alice = world.alice
        await alice.has_linked("alice")
        form = await world.opens_form(alice, "new saturn")
        assert form.field("field:template").options == {"course": "course · 0.50 EUR an hour"}
        await world.fills(alice, name="mine")
        await world.sends(alice)
        await world.pass_time(30)
        assert "Size *medium*, 0.50 EUR an hour." in alice.only("ready").text
        assert "Size *medium*, 0.50 EUR an hour." in (await alice.types("status mine")).text
        row = await read_row(world, "mine")
        assert (row.template, row.size) == ("course", "medium")
        assert await list_prices(world, row) == [Price(Decimal("0.5"), "EUR")]
        # The operator changes the price. It applies from the next start, and earlier runs keep their own.
        (recipe,) = world.bot.context.connections["saturn"].settings.prepared
        recipe.__dict__["price_per_hour"] = Decimal(2)
        await alice.types("stop mine")
        await world.pass_time(30)
        await alice.types("start mine")
        await world.pass_time(30)
        assert sorted(price.amount for price in await list_prices(world, row)) == [Decimal("0.5"), Decimal(2)]


async def test_run_has_the_price_of_its_jobs_size_and_the_next_one_the_new_price(tmp_path):
    async with cloud_world(tmp_path, saturn={"currency": "USD"}) as world:
        alice = world.alice
        await alice.has_linked("alice")
        for number, price in enumerate((0.09, 0.12), 1):
            sizes = {"sizes": {"medium": {"name": "medium", "price_per_hour": price}}}
            inject_fault(world.saturn.harness, "GET /api/info/servers", body=json.dumps(sizes))
            await world.opens_form(alice, "run saturn", "/job")
            await world.pass_time(2)
            await alice.types("run saturn nightly", command="/job")
            await world.pass_time(2)
            said = await alice.types("status nightly", command="/job")
            assert f"Size *medium*, {price} USD an hour." in said.text
            await world.pass_time(600)
            lives = await world.bot.store.read(usage.read_lives_of_person, world.principal(), 0.0, 4e9)
            found = [life for life in lives if life.kind == "run"]
            assert len(found) == number
            assert found[-1].price == Price(Decimal(str(price)), "USD")


async def test_workspace_that_nobody_prices_has_none(cloud):
    await cloud.alice.types("start report")
    await cloud.pass_time(30)
    assert "an hour" not in cloud.alice.only("ready").text
    assert await list_prices(cloud, await read_row(cloud, "report")) == [None]
