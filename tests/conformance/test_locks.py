"""The lock service by its stock clients: every method of docs/locks.md, and the founding document's six conditions."""

import itertools
import re
import time

import pytest

from support.programs import wait_until

pytestmark = pytest.mark.ours

fresh = map("lock-{}".format, itertools.count())
ABSENT = {"holders": [], "holder_count": 0, "waiters": [], "queue_len": 0, "held": False, "kind": "lock"}


@pytest.fixture(scope="module", params=["python", "node"])
def locks(request, suite):
    """Each stock client of the lock service in turn."""
    return (suite.python_client if request.param == "python" else suite.node_client)(suite.lock)


@pytest.fixture
def name():
    return next(fresh)


def grant(client, method, *args):
    """An acquire that is granted."""
    granted = client.call(method, *args)
    assert granted["ok"], granted
    return granted


def waiting(client, name, count=1):
    """Returns once so many wait for the lock."""
    wait_until(lambda: client.call("info", name)["queue_len"] >= count)


def test_condition_1_a_lock_is_one_owners_at_a_time(locks, name):
    first = grant(locks, "acquire", name, "a")
    assert locks.call("acquire", name, "b") == {
        "ok": False, "reason": "held", "holder": "a", "remaining_ms": pytest.approx(30000, abs=5000), "queue_len": 0}
    locks.call("release", name, "a", first["token"])
    assert grant(locks, "acquire", name, "b")["token"] > first["token"]


def test_condition_2_a_grant_outlives_the_broker(suite, name):
    service = suite.start_worker("zerosuite-lock", ZEROSUITE_LOCK_DATA=(folder := suite.folder()))
    held = grant(suite.python_client(service), "acquire", name, "a")
    service.kill()
    again = suite.python_client(suite.start_worker("zerosuite-lock", ZEROSUITE_LOCK_DATA=folder))
    assert again.call("acquire", name, "b")["holder"] == "a"
    assert again.call("check", name, held["token"])["valid"]
    assert again.call("release", name, "a", held["token"])["released"]


def test_condition_3_a_released_lock_goes_to_a_waiter_without_polling(locks, name):
    held = grant(locks, "acquire", name, "a")
    waiter = locks.start("call", method="acquire", args=[name, "b", 30000, 20000])
    waiting(locks, name)
    begun = time.monotonic()
    locks.call("release", name, "a", held["token"])
    assert waiter.result(10)["value"]["ok"]
    assert time.monotonic() - begun < 1


def test_condition_4_its_owner_enters_a_lock_again_and_leaves_it_as_often(locks, name):
    first = grant(locks, "acquire", name, "a")
    second = grant(locks, "acquire", name, "a")
    assert (second["token"], second["hold_count"]) == (first["token"], 2)
    assert locks.call("release", name, "a", first["token"])["hold_count"] == 1
    assert not locks.call("acquire", name, "b")["ok"]
    assert locks.call("release", name, "a", first["token"])["hold_count"] == 0
    assert locks.call("acquire", name, "b")["ok"]


def test_condition_5_a_lock_that_is_not_given_back_ends_with_its_lease(locks, name):
    begun = time.monotonic()
    held = grant(locks, "acquire", name, "a", 300)
    assert grant(locks, "acquire", name, "b", 30000, 5000)["waited_ms"] > 0
    assert time.monotonic() - begun >= 0.3
    for method, rest in (("release", []), ("extend", [1000])):
        assert locks.error(method, name, "a", held["token"], *rest).name == "LeaseExpired"


def test_condition_6_a_lock_that_is_not_to_be_had_is_an_answer_at_once(locks, name):
    grant(locks, "acquire", name, "a")
    begun = time.monotonic()
    assert locks.call("try_acquire", name, "b")["ok"] is False
    assert locks.call("acquire", name, "b", 1000, 0)["reason"] == "held"
    assert time.monotonic() - begun < 2


def test_a_wait_ends_after_wait_ms(locks, name):
    grant(locks, "acquire", name, "a")
    assert locks.call("acquire", name, "b", 1000, 100)["reason"] == "timeout"
    assert locks.call("info", name)["queue_len"] == 0


def test_an_owner_is_made_where_none_is_given(locks, name):
    one = grant(locks, "acquire", name)
    other = locks.call("acquire", name, None)
    assert not other["ok"] and other["holder"] == one["owner"]
    assert locks.call("release", name, one["owner"], one["token"])["released"]


def test_a_release_that_is_repeated_is_answered_as_a_replay(locks, name):
    held = grant(locks, "acquire", name, "a")
    first = locks.call("release", name, "a", held["token"])
    second = locks.call("release", name, "a", held["token"])
    assert (first["replay"], second["replay"]) == (False, True)
    assert first["held_ms"] == second["held_ms"]


def test_a_release_under_a_request_id_counts_once(locks, name):
    held = grant(locks, "acquire", name, "a")
    grant(locks, "acquire", name, "a")
    counts = [locks.call("release", name, "a", held["token"], {"request_id": 1})["hold_count"] for _ in range(2)]
    assert counts == [1, 1]
    assert locks.call("release", name, "a", held["token"], {"request_id": 2})["hold_count"] == 0


def test_a_request_that_is_repeated_is_granted_once(locks, name):
    owner = f"owner of {name}"
    first = grant(locks, "acquire", name, owner, 30000, 0, {"request_id": "r1"})
    second = grant(locks, "acquire", name, owner, 30000, 0, {"request_id": "r1"})
    assert (second["token"], second["hold_count"], second["replay"]) == (first["token"], 1, True)
    assert locks.error("acquire", next(fresh), owner, 30000, 0, {"request_id": "r1"}).name == "RequestConflict"
    locks.call("release", name, owner, first["token"])
    assert locks.error("acquire", name, owner, 30000, 0, {"request_id": "r1"}).name == "NotHeld"
    assert locks.call("info", name)["held"] is False


def test_a_lower_request_number_than_the_last_is_cancelled(locks, name):
    owner = f"owner of {name}"
    grant(locks, "acquire", name, owner, 30000, 0, {"request_id": 7})
    assert locks.error("acquire", next(fresh), owner, 30000, 0, {"request_id": 6}).name == "Cancelled"
    assert locks.call("acquire", next(fresh), owner, 30000, 0, {"request_id": 8})["ok"]


@pytest.mark.parametrize("first, second", [("7", 7), (7, "7"), ("-7", -7), ('"7', "7"), ('""7', '"7')])
def test_a_request_id_that_is_text_is_not_the_number_it_reads_like(locks, name, first, second):
    owner = f"owner of {name}"
    one = grant(locks, "acquire", name, owner, 30000, 0, {"request_id": first})
    other = grant(locks, "acquire", name, owner, 30000, 0, {"request_id": second})
    assert (other["replay"], other["hold_count"]) == (False, 2)
    left = [locks.call("release", name, owner, one["token"], {"request_id": id})["hold_count"] for id in (first, second)]
    assert left == [1, 0]


def test_extend_lets_a_lease_begin_anew_but_never_shortens_it(locks, name):
    held = grant(locks, "acquire", name, "a", 1000)
    longer = locks.call("extend", name, "a", held["token"], 20000)
    assert (longer["ok"], longer["extensions"]) == (True, 1) and longer["remaining_ms"] > 19000
    assert locks.call("extend", name, "a", held["token"], 50)["remaining_ms"] > 15000


def test_renew_extends_what_is_held_and_names_what_is_lost(locks, name):
    other = next(fresh)
    held = grant(locks, "acquire", name, "a", 1000)
    lost = grant(locks, "acquire", other, "a", 1000)
    locks.call("force_release", other)
    assert locks.call("renew", "a", [[name, held["token"]], [other, lost["token"]]], 20000) == {
        "ok": [name], "lost": [[other, lost["token"], "StaleToken"]]}


def test_readers_share_a_lock_and_do_not_pass_a_waiting_writer(locks, name):
    shared = {"mode": "s"}
    one, two = (grant(locks, "acquire", name, owner, 30000, 0, shared) for owner in "ab")
    writer = locks.start("call", method="acquire", args=[name, "w", 30000, 20000])
    waiting(locks, name)
    reader = locks.start("call", method="acquire", args=[name, "c", 30000, 20000, shared])
    waiting(locks, name, 2)
    for owner, held in (("a", one), ("b", two)):
        locks.call("release", name, owner, held["token"])
    written = writer.result(10)["value"]
    assert not reader.done()
    assert locks.error("acquire", name, "w", 30000, 0, {"mode": "x", "reentrant": False}).name == "NotReentrant"
    assert locks.call("downgrade", name, "w", written["token"])["mode"] == "s"
    assert reader.result(10)["value"]["ok"]
    assert locks.error("acquire", name, "w").name == "UpgradeNotAllowed"


def test_a_set_is_taken_and_given_back_whole(locks, name):
    other = next(fresh)
    held = grant(locks, "acquire_many", [other, name], "a")
    assert sorted(held["names"]) == sorted([name, other])
    assert not locks.call("acquire", other, "b")["ok"]
    assert locks.error("release", name, "a", held["token"]).name == "InvalidArgument"
    assert locks.error("release_many", "a", [[name, held["token"]]]).name == "InvalidArgument"
    both = [[name, held["token"]], [other, held["token"]]]
    assert sorted(locks.call("release_many", "a", both)["released"]) == sorted([name, other])
    assert locks.call("acquire", other, "b")["ok"]
    assert not locks.call("acquire_many", [name, other], "c")["ok"]
    assert locks.call("info", name)["held"] is False


def test_a_semaphore_gives_out_as_many_permits_as_it_has(locks, name):
    one = grant(locks, "sem_acquire", name, "a", 3, 2)
    assert one["available"] == 1
    assert not locks.call("sem_acquire", name, "b", 3, 2)["ok"]
    assert grant(locks, "sem_acquire", name, "b", 3, 1)["available"] == 0
    assert locks.error("sem_acquire", name, "c", 4).name == "LimitMismatch"
    assert locks.error("acquire", name, "c").name == "KindMismatch"
    assert locks.error("release", name, "a", one["token"]).name == "KindMismatch"
    locks.call("sem_release", name, "a", one["token"])
    assert grant(locks, "sem_acquire", name, "c", 3, 2)["available"] == 0


def test_a_ticket_keeps_its_place_between_waits(locks, name):
    held = grant(locks, "acquire", name, "a")
    queued = locks.call("enqueue", name, "b")
    assert (queued["state"], queued["position"]) == ("queued", 1)
    assert locks.call("wait", queued["ticket"], 50)["state"] == "queued"
    locks.call("release", name, "a", held["token"])
    granted = locks.call("wait", queued["ticket"], 10000)
    assert (granted["state"], granted["owner"]) == ("granted", "b")
    assert locks.call("wait", queued["ticket"])["replay"]
    behind = locks.call("enqueue", name, "c")
    assert locks.call("cancel", behind["ticket"]) is True
    assert locks.call("cancel", behind["ticket"]) is False
    assert locks.error("wait", behind["ticket"]).name == "NotHeld"


def test_a_wait_that_would_close_a_cycle_is_refused_with_the_cycle(locks, name):
    other, one, two = next(fresh), f"one of {name}", f"two of {name}"
    grant(locks, "acquire", name, one)
    grant(locks, "acquire", other, two)
    waiter = locks.start("call", method="acquire", args=[other, one, 30000, 20000])
    waiting(locks, other)
    error = locks.error("acquire", name, two, 30000, 20000)
    assert error.name == "Deadlock"
    assert f'{{"cycle":[{{"owner":"{two}","name":"{name}"}},{{"owner":"{one}","name":"{other}"}}]}}' in error.message
    locks.call("force_release", other)
    assert waiter.result(10)["value"]["ok"]


def test_a_session_hears_of_its_owners_locks_and_takes_those_bound_to_it_along(locks, name):
    owner, other = f"owner of {name}", next(fresh)
    sessions = locks.call("stats")["sessions"]
    events = locks.start("stream", method="session_open", args=[owner], take=3)
    wait_until(lambda: locks.call("stats")["sessions"] > sessions)
    held = grant(locks, "acquire", name, owner, 30000)
    locks.call("force_release", name, "maintenance")
    opened, granted, revoked = events.result(20)["items"]
    assert opened["event"] == "open" and opened["session"].startswith("session-")
    assert (granted["event"], granted["name"], granted["token"]) == ("granted", name, held["token"])
    assert (revoked["event"], revoked["reason"]) == ("revoked", "maintenance")
    assert locks.error("acquire", other, owner, 30000, 0, {"bind": "session", "session": "nope"}).name == "SessionLost"


def test_watchers_hear_of_every_lock_with_their_prefix(locks, name):
    listeners = locks.call("stats")["listeners"]
    events = locks.start("stream", method="watch", args=[name], take=3)
    wait_until(lambda: locks.call("stats")["listeners"] > listeners)
    grant(locks, "acquire", next(fresh), "a")
    held = grant(locks, "acquire", name, "a")
    locks.call("release", name, "a", held["token"])
    assert [event["event"] for event in events.result(20)["items"]] == ["open", "granted", "released"]


def test_a_forced_release_answers_a_token_that_shuts_the_old_holder_out(locks, name):
    held = grant(locks, "acquire", name, "a")
    forced = locks.call("force_release", name, "gone")
    assert forced["released"] == 1 and forced["token"] > held["token"]
    assert grant(locks, "acquire", name, "b")["token"] >= forced["token"]
    assert locks.error("release", name, "a", held["token"]).name == "StaleToken"


def test_info_list_and_holds_show_who_has_what(locks, name):
    assert locks.call("info", name) == {"name": name, **ABSENT}
    held = grant(locks, "acquire", name, f"of {name}", 30000, 0, {"data": "for the nightly job"})
    holder = locks.call("info", name)["holders"][0]
    assert (holder["token"], holder["data"], holder["mode"]) == (held["token"], "for the nightly job", "x")
    assert [each["name"] for each in locks.call("list", name)["locks"]] == [name]
    assert [each["name"] for each in locks.call("holds", f"of {name}")["holds"]] == [name]
    page = locks.call("list", "", 1)
    assert len(page["locks"]) == 1
    assert locks.call("list", "", 1, page["cursor"])["locks"] != page["locks"] or page["cursor"] == ""


def test_holds_come_page_by_page(locks, name):
    owner = f"of {name}"
    held = [f"{name}/{i}" for i in range(5)]
    for each in held:
        grant(locks, "acquire", each, owner)
    pages, cursor = [], ""
    while not pages or cursor:
        page = locks.call("holds", owner, 2, cursor)
        pages.append([each["name"] for each in page["holds"]])
        cursor = page["cursor"]
    assert pages == [held[:2], held[2:4], held[4:]]
    assert locks.error("holds", owner, 1001).name == "InvalidArgument"
    assert locks.error("holds", owner, 1, "no cursor").name == "InvalidArgument"


def test_a_set_of_one_distinct_name_is_a_set(locks, name):
    for names in ([name], [name, name]):
        held = grant(locks, "acquire_many", names, "a")
        assert held["names"] == [name] and "name" not in held
        assert locks.call("release_many", "a", [[name, held["token"]]])["released"] == [name]


def test_a_ticket_says_nothing_of_its_neighbours(locks, name):
    grant(locks, "acquire", name, "a")
    one, other = (locks.call("enqueue", name, owner)["ticket"] for owner in "bc")
    assert re.fullmatch("[0-9a-f]{32}", one) and re.fullmatch("[0-9a-f]{32}", other)
    for guess in (int(other, 16) - 1, int(other, 16) + 1, int(one, 16) + 1):
        assert locks.call("cancel", f"{guess:032x}") is False


def test_redlocks_calls_have_their_shapes(locks, name):
    lock = locks.call("lock", name, 10000)
    assert lock[1] == name and 9000 < lock[0] < 10000
    assert locks.call("lock", name, 10000) is False
    assert locks.call("unlock", lock) is True
    assert locks.call("unlock", lock) is False


def test_the_founding_recipes_calls_have_their_shapes(locks, name):
    identifier = locks.call("acquire_lock", name)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", identifier)
    assert locks.call("acquire_lock", name, 0.1, 10) is False
    assert locks.call("release_lock", name, "somebody else's") is False
    assert locks.call("release_lock", name, identifier) is True
    assert locks.call("release_lock", name, identifier) is True
