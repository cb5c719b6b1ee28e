"""Ids that are fetched ahead, against the id service through the proxy."""

import asyncio
import datetime
import threading
import time
import uuid

import pytest

import zerosuite
from zerosuite import _supply, aio


@pytest.fixture
def ids(client):
    return zerosuite.ids.Ids(client)


def test_snowflakes_are_different_and_increase(ids):
    taken = ids.snowflakes().take(50_000)
    assert taken == sorted(set(taken))
    assert ids.snowflake() > taken[-1]


@pytest.mark.parametrize("layout", ["twitter", "sony", "js53", "custom:41/10/12@1577836800000+1ms"])
def test_every_layout_is_handed_out(ids, layout):
    taken = ids.snowflakes(layout).take(500)
    assert taken == sorted(set(taken))


def test_a_layout_that_does_not_exist_is_an_error(ids):
    with pytest.raises(zerosuite.errors.NoSuchLayout):
        ids.snowflake("nosuch")


def test_decode_says_when_a_snowflake_was_made(ids):
    before = datetime.datetime.now(datetime.timezone.utc)
    snowflake = ids.snowflake()
    decoded = ids.decode(snowflake)
    assert decoded.id == snowflake and decoded.layout == "twitter" and decoded.worker == 0
    assert abs(decoded.time - before) < datetime.timedelta(seconds=30)
    assert ids.decode(ids.snowflake("js53"), "js53").dc is None


def test_no_id_is_handed_out_long_after_it_was_fetched(ids):
    source = ids.snowflakes()
    source.take(3000)
    time.sleep(_supply.FRESH + 0.1)
    age = datetime.datetime.now(datetime.timezone.utc) - ids.decode(ids.snowflake()).time
    assert age < datetime.timedelta(seconds=0.9)


def test_segments_count_up(client, ids, name):
    client.id.tag_create(name)
    assert ids.segments(name).take(2000) == list(range(1, 2001))
    assert ids.segment(name) == 2001


def test_segments_of_a_tag_with_a_step_are_its_own_only(client, ids, name):
    client.id.tag_create(name, {"delta": 3, "remainder": 2})
    assert all(each % 3 == 2 for each in ids.segments(name).take(100))


def test_a_tag_that_does_not_exist_is_an_error(ids, name):
    with pytest.raises(zerosuite.errors.NoSuchTag):
        ids.segment(name)


@pytest.mark.parametrize("version", [4, 6, 7])
def test_uuids_are_uuids(ids, version):
    one, many = getattr(ids, f"uuid{version}")(), getattr(ids, f"uuid{version}")(300)
    assert isinstance(one, uuid.UUID) and one.version == version
    assert len({one, *many, *ids.uuids(version).take(1000)}) == 1301
    assert getattr(ids, f"uuid{version}")(1)[0].version == version
    if version != 4:
        assert many == sorted(many)


def test_uuid1_and_the_texts(ids):
    assert ids.uuid1().version == 1
    assert [len(text) for text in (ids.ulid(), ids.ksuid(), ids.xid(), ids.objectid())] == [26, 27, 20, 24]
    assert ids.ulid() != ids.ulid()
    with pytest.raises(ValueError):
        ids.uuids(5)


def test_sequences_are_strict(ids, name):
    assert [ids.seq(name) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert ids.seq_range(name, 10) == range(6, 16)
    assert ids.seq(name) == 16
    assert ids.daily("T").startswith("T2")


def test_threads_share_a_source_and_no_id_comes_twice(ids):
    source, taken = ids.snowflakes(), [[] for _ in range(8)]

    def take(mine):
        for _ in range(50):
            mine += source.take(400)

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    every = sum(taken, [])
    assert len(set(every)) == len(every) == 8 * 50 * 400
    assert all(mine == sorted(mine) for mine in taken)


def test_many_ids_need_few_calls(client, ids, monkeypatch):
    submit, asked = client.submit, []
    monkeypatch.setattr(client, "submit", lambda *args, **named: asked.append(args) or submit(*args, **named))
    ids.snowflakes().take(500_000)
    assert len(asked) < 40


def test_one_id_now_and_then_fetches_no_more(client, ids, monkeypatch):
    submit, asked = client.submit, []
    monkeypatch.setattr(client, "submit", lambda *args, **named: asked.append(args) or submit(*args, **named))
    for _ in range(3):
        ids.snowflake()
        time.sleep(0.6)
    assert [args[1] for args in asked] == [1, 1, 1]


def test_a_service_that_is_gone_is_an_error_and_then_ids_come_again(own):
    from support.id_service import Issuer
    issuer = Issuer(own)
    with zerosuite.Client(issuer.endpoint, heartbeat=1.0) as client:
        ids = zerosuite.ids.Ids(client)
        before = ids.snowflakes().take(5000)
        issuer.kill()
        with pytest.raises(zerosuite.Error):
            ids.snowflakes().take(10_000_000)
        issuer.start()
        after = ids.snowflakes().take(5000)
        assert after[0] > before[-1]


def test_asyncio_hands_out_the_same(town, name):
    async def scenario():
        async with aio.Client(town.endpoint) as client:
            ids = aio.ids.Ids(client)
            batches = await asyncio.gather(*(ids.snowflakes().take(2000) for _ in range(10)))
            every = [each for batch in batches for each in batch]
            assert len(set(every)) == 20_000
            await client.id.tag_create(name)
            taken = []
            async for each in ids.segments(name):
                taken.append(each)
                if len(taken) == 100:
                    break
            assert taken == list(range(1, 101)) and await ids.segment(name) == 101
            assert {(await ids.uuid4()).version, (await ids.uuid6()).version, (await ids.uuid7()).version,
                    (await ids.uuid1()).version} == {1, 4, 6, 7}
            texts = [await ids.ulid(), await ids.ksuid(), await ids.xid(), await ids.objectid()]
            assert [len(text) for text in texts] == [26, 27, 20, 24]
            assert [await ids.seq(name), await ids.seq_range(name, 3)] == [1, range(2, 5)]
            assert (await ids.daily("T")).startswith("T2")
            assert (await ids.decode(every[0])).id == every[0]
            with pytest.raises(ValueError):
                ids.uuids(5)

    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_a_task_that_is_cancelled_while_ids_are_fetched_does_not_disturb_the_others(town):
    async def scenario():
        async with aio.Client(town.endpoint) as client:
            ids = aio.ids.Ids(client)
            tasks = [asyncio.create_task(ids.snowflake()) for _ in range(50)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(outcomes[0], asyncio.CancelledError)
            assert len(set(outcomes[1:])) == 49

    asyncio.run(asyncio.wait_for(scenario(), 30))
