"""Faults 8, 10 and 11: several who want the same worker id, or all of them at the same time."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.id_service import retry_after
from support.programs import wait_until


def test_8_a_second_process_on_one_folder_does_not_start_and_names_both(start_issuer, ask):
    first = start_issuer(worker=5)
    ask(first, "snowflake", 10)
    for worker in ("5", "auto", "6"):
        second = start_issuer(folder=first.folder, worker=worker, start=False)
        line = second.refusal()
        assert line.startswith(f"zerosuite-id: {first.folder} is in use by process {first.program.process.pid}"), line
    ask(first, "snowflake", 10)
    first.finish()
    second.start()
    assert second.call("worker")["worker"] == 6
    ask(second, "snowflake", 10)


def test_8_a_killed_process_leaves_its_folder_free_at_once(start_issuer, ask):
    first = start_issuer(worker=5)
    ask(first, "snowflake", 10)
    first.kill()
    first.start()
    assert first.call("worker")["worker"] == 5
    ask(first, "snowflake", 10)


@pytest.mark.parametrize("same_folder", [True, False])
def test_8_a_second_process_with_a_worker_id_of_a_shared_store_does_not_start_and_names_who_has_it(
        start_issuer, start_redis, ask, same_folder):
    redis = start_redis()
    first = start_issuer(redis=redis, worker=5)
    ask(first, "snowflake", 10)
    second = start_issuer(redis=redis, worker=5, folder=first.folder if same_folder else None, start_wait_ms=3000,
                          start=False)
    line = second.refusal()
    if same_folder:
        assert f"{first.folder} is in use by process {first.program.process.pid}" in line
    else:
        assert first.call("worker")["owner"] in line
        assert 0 < retry_after(line) <= 15_000
    ask(first, "snowflake", 10)
    first.finish()
    second.start()
    assert second.call("worker")["worker"] == 5, "it was given back"
    ask(second, "snowflake", 10)


def test_10_as_many_worker_ids_as_processes_that_start_at_the_same_time(start_issuer, start_redis, ask):
    redis = start_redis()
    several = 8
    with ThreadPoolExecutor(several) as pool:
        issuers = list(pool.map(lambda _: start_issuer(redis=redis), range(several)))
    assert sorted(issuer.call("worker")["worker"] for issuer in issuers) == list(range(several))
    with ThreadPoolExecutor(several) as pool:
        list(pool.map(lambda issuer: [ask(issuer, "snowflake", 100_000) for _ in range(5)], issuers))
    assert len({issuer.call("worker")["owner"] for issuer in issuers}) == several


def test_10_two_that_start_at_the_same_time_on_a_new_folder_are_one_in_the_end(start_issuer, suite, ask):
    folder = suite.folder()
    both = [start_issuer(folder=folder, start=False) for _ in range(2)]

    def start(issuer):
        try:
            issuer.start()
        except AssertionError as failure:
            return str(failure)
        return None

    with ThreadPoolExecutor(2) as pool:
        failures = list(pool.map(start, both))
    failed, = filter(None, failures)
    assert re.search(rf"{folder} is in use by", failed)
    ask(both[failures.index(None)], "snowflake", 10)


TWO = "custom:41/1/12@1288834974657"


def test_11_more_processes_than_worker_ids_are_told_so_and_one_that_died_makes_room(start_issuer, start_redis, ask):
    redis = start_redis()
    how = {"redis": redis, "layout": TWO, "lease_ms": 2000, "renew_ms": 500, "lease_margin_ms": 300}
    a, b = start_issuer(**how), start_issuer(**how)
    third = start_issuer(**how, start_wait_ms=500, start=False)
    for issuer in (a, b):
        ask(issuer, "snowflake", 1000)
    line = third.refusal()
    assert "WorkerIdExhausted" in line or "no worker id is free" in line, line
    assert '"workers":2' in line
    last = ask(b, "snowflake", 1000)
    b.kill()
    third.environment["ZEROSUITE_ID_START_WAIT_MS"] = "10000"
    third.start()  # when the lease of the one that was killed has passed
    worker = third.call("worker")
    assert (worker["worker"], worker["epoch"]) == (1, 2)
    assert ask(third, "snowflake", 1000).first > last.last, "above all that was reserved before"
    ask(a, "snowflake", 1000)


def test_11_who_ends_makes_room_at_once(start_issuer, start_redis, ask):
    redis = start_redis()
    how = {"redis": redis, "layout": TWO}
    a, b = start_issuer(**how), start_issuer(**how)
    how["start_wait_ms"] = 500
    last = ask(b, "snowflake", 1000)
    b.finish()
    third = start_issuer(**how)
    assert ask(third, "snowflake", 1000).first > last.last
    ask(a, "snowflake", 1000)


def test_11_a_layout_without_room_for_the_worker_id_is_refused_by_name(start_issuer, start_redis, ask):
    redis = start_redis()
    issuer = start_issuer(redis=redis, worker=700)
    assert issuer.error("snowflake", "js53")[0] == "WorkerIdExhausted"
    ask(issuer, "snowflake", 10)
    wait_until(lambda: issuer.reasons() == [])
