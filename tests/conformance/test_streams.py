"""Streams, and the credit that paces them."""

import time

import pytest

from support.background import background
from support.programs import wait_until

# A stock python server may hang when a node client's late grants meet the end of their channel: its dispatcher then
# waits for a reader that has gone.
@pytest.fixture(params=["python", pytest.param("node", marks=pytest.mark.ours)])
def reader(request):
    return request.getfixturevalue(request.param)


LENGTHS = [0, 1, 2, 3, 99, 100, 101, 102, 151, 152, 260, 10_000]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_stream_arrives_whole_and_in_order(reader, length):
    assert reader.items("count", length) == list(range(length))


@pytest.mark.parametrize("length", [0, 1, 2, 5])
def test_a_stream_is_its_items_and_an_end(raw, length):
    id = raw.call("count", [length])
    events = [raw.next(id)]
    if length:
        raw.grant(id, length)
    events += [raw.next(id) for _ in range(length)]
    assert [event.name for event in events] == ["STREAM"] * length + ["STREAM_DONE"]
    assert [event.args for event in events[:-1]] == list(range(length))
    assert events[-1].args in (None, [])


def test_an_empty_stream_is_a_lone_end(raw):
    id = raw.call("count", [0])
    assert raw.next(id).name == "STREAM_DONE"
    assert raw.before_echo() == []


def test_a_caller_that_grants_nothing_gets_one_item(raw):
    id = raw.call("count", [10])
    assert raw.next(id).args == 0
    assert raw.before_echo() == []


@pytest.mark.parametrize("grants", [[1], [2, 1], [100], [1] * 20, [51, 0, 7], [3.0]], ids=str)
def test_credit_is_added_up_and_never_exceeded(raw, grants):
    id = raw.call("endless")
    assert raw.next(id).args == 0
    for grant in grants:
        raw.grant(id, grant)
    total = int(sum(grants))
    assert [raw.next(id).args for _ in range(total)] == list(range(1, total + 1))
    assert raw.before_echo() == []
    raw.grant(id, 1)
    assert raw.next(id).args == total + 1


@pytest.mark.ours
def test_a_grant_before_the_first_item_counts_too(raw):
    id = raw.call("count", [4])
    raw.grant(id, 4)
    assert [raw.next(id).name for _ in range(5)] == ["STREAM"] * 4 + ["STREAM_DONE"]


def test_the_end_of_a_stream_costs_a_credit(raw):
    id = raw.call("count", [1])
    assert raw.next(id).name == "STREAM"
    assert raw.before_echo() == []
    raw.grant(id, 1)
    assert raw.next(id).name == "STREAM_DONE"


def test_an_error_in_a_stream_costs_a_credit(raw):
    id = raw.call("fail_after", [1])
    assert raw.next(id).name == "STREAM"
    assert raw.before_echo() == []
    raw.grant(id, 1)
    assert raw.next(id).args[:2] == ["ValueError", "no more after 1"]


@pytest.mark.parametrize("length", [0, 1, 2, 100, 101, 200])
def test_an_error_ends_a_stream_behind_its_last_item(reader, length):
    answer = reader.stream("fail_after", length)
    assert answer["error"]["name"] == "ValueError"
    assert answer["error"]["message"] == f"no more after {length}"
    if length:  # without an item python's client raises where the iterator would be returned
        assert answer["items"] == list(range(length))


@pytest.mark.parametrize("slots, length", [(2, 30), (3, 30), (7, 100), (1000, 5000)])
def test_a_client_may_choose_how_much_it_buffers(python, slots, length):
    assert python.items("count", length, slots=slots) == list(range(length))


def test_many_streams_at_once_do_not_mix(reader):
    started = [reader.start("stream", method="count", args=[200 + number]) for number in range(20)]
    for number, future in enumerate(started):
        assert future.result(30)["items"] == list(range(200 + number))


def test_items_that_come_when_they_come_arrive_whole_and_in_order(reader):
    assert reader.items("ticks", 0, 1) == []
    assert reader.items("ticks", 300, 1) == list(range(300))


def test_items_that_come_when_they_come_are_not_kept_back(raw):
    begun = time.monotonic()
    id = raw.call("ticks", [2, 400])
    arrivals = []
    for _ in range(3):
        arrivals.append((raw.next(id).name, time.monotonic() - begun))
        raw.grant(id, 10)
    assert [name for name, _ in arrivals] == ["STREAM", "STREAM", "STREAM_DONE"]
    assert all(at > 0.3 + 0.4 * number for number, (_, at) in enumerate(arrivals))
    assert arrivals[1][1] - arrivals[0][1] > 0.3


@pytest.mark.ours
def test_items_without_credit_wait_on_the_server(raw):
    id = raw.call("ticks", [20, 1, "without credit"])
    assert raw.next(id).args == 0
    wait_until(lambda: raw.value("fate", "without credit")[0] == "done")
    assert raw.before_echo() == []
    raw.grant(id, 20)
    assert [raw.next(id).args for _ in range(19)] == list(range(1, 20))
    assert raw.next(id).name == "STREAM_DONE"


@pytest.mark.ours
def test_a_range_takes_the_steps_python_takes(python_math, node_math):
    for client in (python_math, node_math):
        assert client.items("range", 1, 10, 3) == [1, 4, 7]
        assert client.items("range", 3, 0, -1) == [3, 2, 1]
        assert client.items("range", 5, 5) == []
        assert client.stream("range", 0, 1, 0)["error"]["name"] == "ValueError"


@pytest.mark.ours
def test_short_calls_pass_long_streams(suite):
    busy = suite.python_client(suite.peer)
    streams = [busy.start("stream", method="endless", args=[f"long {number}"], take=20_000) for number in range(4)]
    caller = suite.python_client(suite.peer)
    times = [caller.do("call", method="echo", args=[number])["seconds"] for number in range(50)]
    assert not any(stream.done() for stream in streams)
    assert sorted(times)[25] < 0.5
    busy.kill()


@pytest.mark.ours
@pytest.mark.parametrize("grant", [-5, 0, None, "many", [1], {"a": 1}, 1.5, float("nan"), float("inf")],
                         ids=str)
def test_a_grant_of_nonsense_is_no_credit(raw, grant):
    id = raw.call("count", [10])
    assert raw.next(id).args == 0
    raw.grant(id, grant)
    assert raw.before_echo() == []
    raw.grant(id, 1)
    assert raw.next(id).args == 1


@pytest.mark.ours
@pytest.mark.parametrize("args", [None, [], 5, "5", {"n": 5}], ids=str)
def test_a_grant_of_no_list_is_no_credit(raw, args):
    id = raw.call("count", [10])
    assert raw.next(id).args == 0
    raw.follow(id, "_zpc_more", args)
    assert raw.before_echo() == []
    raw.grant(id, 1)
    assert raw.next(id).args == 1


@pytest.mark.ours
def test_credit_has_an_upper_limit_and_no_way_around_zero(raw):
    id = raw.call("count", [3])
    for _ in range(5):
        raw.grant(id, 2**63 - 1)
    raw.grant(id, 2**64 - 1)
    assert [raw.next(id).name for _ in range(4)] == ["STREAM"] * 3 + ["STREAM_DONE"]


def test_grants_that_come_late_are_dropped(raw):
    id = raw.call("count", [1])
    assert raw.next(id).name == "STREAM"
    raw.grant(id, 10)
    assert raw.next(id).name == "STREAM_DONE"
    for _ in range(500):
        raw.grant(id, 1)
        raw.beat(id)
    assert raw.before_echo() == []


@pytest.mark.ours
def test_a_caller_of_version_2_grants_with_its_heartbeats(raw):
    id = raw.call("count", [10], v=2)
    assert raw.next(id).args == 0
    raw.send_event({"message_id": b"x" * 32, "v": 2, "response_to": id}, "_zpc_hb", [2])
    assert [raw.next(id).args, raw.next(id).args] == [1, 2]
    assert [event.name for event in raw.before_echo() if event.name != "_zpc_hb"] == []


PAUSE = 0.03


@background
def slow_consumer(suite):
    """A client that pauses after each item; and how many items had been made, when."""
    client, watcher = suite.python_client(suite.calm), suite.python_client(suite.calm)
    begun = time.monotonic()
    started = client.start("stream", method="endless", args=["slow consumer"], take=300, pause=PAUSE)
    made = []
    while not started.done():
        fate = watcher.call("fate", "slow consumer")
        made.append((time.monotonic() - begun, fate[1] if fate else 0))
    return started.result(), made


def test_a_slow_consumer_slows_the_stream_down(slow_consumer):
    answer, made = slow_consumer
    assert answer["items"] == list(range(300))
    assert made[-1][1] > 250
    # What was read by then, what a python client lets the server send ahead, and the one item without credit.
    assert [(at, items) for at, items in made if items > at / PAUSE + 100 + 1] == []


@background
def abandoned_by_python(suite):
    # Two clients: one that leaves a stream with items on their way may read nothing on its socket any more.
    watcher, client = suite.python_client(suite.calm), suite.python_client(suite.calm)
    answer = client.do("stream", method="endless", args=["left by python"], take=5)
    return answer["items"], wait_until(lambda: ended(watcher, "left by python"), 25, every=0.2)


@background
def vanished_in_a_stream(suite):
    watcher, client = suite.python_client(suite.calm), suite.python_client(suite.calm)
    client.start("stream", method="endless", args=["vanished"], pause=0.01)
    wait_until(lambda: watcher.call("fate", "vanished"))
    client.kill()
    return wait_until(lambda: ended(watcher, "vanished"), 25, every=0.2)


@background
def silent_before_an_item(suite):
    """Streams in which nothing comes for longer than a lost peer is waited for."""
    started = [client.start("stream", method="ticks", args=[1, 12_000])
               for client in (suite.python_client(suite.calm), suite.node_client(suite.calm))]
    return [future.result() for future in started]


@background
def vanished_from_a_silent_stream(suite):
    watcher, client = suite.python_client(suite.calm), suite.python_client(suite.calm)
    client.start("stream", method="ticks", args=[1, 600_000, "vanished from silence"])
    wait_until(lambda: watcher.call("fate", "vanished from silence"))
    client.kill()
    return wait_until(lambda: ended(watcher, "vanished from silence"), 25, every=0.2)


def ended(client, tag):
    fate = client.call("fate", tag)
    return fate if fate[0] != "running" else None


def test_a_stream_nobody_reads_on_is_ended_within_15_seconds(abandoned_by_python):
    items, (state, sent, ms) = abandoned_by_python
    assert items == list(range(5))
    assert state == "cancelled"
    assert sent <= 102
    assert 9_000 <= ms <= 16_500


def test_a_stream_whose_client_vanished_is_ended(vanished_in_a_stream):
    state, _, ms = vanished_in_a_stream
    assert (state, ms <= 16_500) == ("cancelled", True)


def test_a_silent_stream_is_kept_alive_by_heartbeats(silent_before_an_item):
    assert [answer.get("items") for answer in silent_before_an_item] == [[0], [0]]
    assert [answer.get("error") for answer in silent_before_an_item] == [None, None]


def test_a_silent_stream_whose_client_vanished_is_ended(vanished_from_a_silent_stream):
    state, items, ms = vanished_from_a_silent_stream
    assert (state, items, ms <= 16_500) == ("cancelled", 0, True)
