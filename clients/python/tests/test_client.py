"""The synchronous client against our services, directly and through the proxy."""

import copy
import decimal
import gc
import os
import pickle
import re
import threading
import time

import pytest

import zerosuite
from support.programs import BIN, ROOT, Server, wait_until
from zerosuite import errors


@pytest.fixture
def maths(math):
    with zerosuite.Client(math.endpoint) as client:
        yield client


@pytest.fixture(scope="session")
def peer(suite):
    return suite.peer


@pytest.fixture
def peers(peer):
    """A client of the test server, which does whatever a test needs of it."""
    with zerosuite.Client(peer.endpoint) as client:
        yield client


class TestCalls:
    def test_attributes_are_methods(self, maths):
        assert maths.add(88, 77) == 165

    def test_dotted_attributes_name_the_service_too(self, maths):
        assert maths.math.add(88, 77) == 165

    def test_any_method_can_be_called_by_its_name(self, maths):
        assert maths("math.add", 88, 77) == 165

    @pytest.mark.parametrize("value", [None, True, 0, -2**63, 2**64 - 1, 1.5, "text", "äöü€😀", b"\x00\xff", [],
                                       [1, [2]], {}, {"a": {"b": [None]}}, "x" * 100_000, b"y" * 1_000_000])
    def test_values_come_back_as_they_were(self, maths, value):
        back = maths.echo(value)
        assert back == value and type(back) is type(value)

    def test_an_argument_that_cannot_be_sent_is_refused_here(self, maths):
        with pytest.raises(TypeError, match="can not serialize"):
            maths.echo(object())
        with pytest.raises(OverflowError):
            maths.echo(2**64)
        assert maths.add(1, 2) == 3

    def test_an_error_is_raised_under_pythons_name_and_the_stock_ones(self, maths):
        with pytest.raises(ZeroDivisionError) as raised:
            maths.divide(1, 0)
        error = raised.value
        assert isinstance(error, zerosuite.RemoteError)
        assert (error.name, error.msg) == ("ZeroDivisionError", "division by zero")
        assert pickle.loads(pickle.dumps(error)).msg == error.msg

    def test_an_unknown_method_is_a_name_error(self, maths):
        with pytest.raises(NameError) as raised:
            maths.nosuch()
        assert raised.value.name == "NameError"

    def test_a_wrong_number_of_arguments_is_a_type_error(self, maths):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'b'"):
            maths.add(1)

    def test_a_call_may_take_longer_than_the_heartbeats(self, peer):
        with zerosuite.Client(peer.endpoint, heartbeat=0.5) as client:
            assert client.slow_async(2500) == "slept"

    def test_a_timeout_is_a_timeout_error_and_cancels_the_method(self, peers, name):
        with pytest.raises(TimeoutError) as raised:
            peers.slow_async(60_000, name, timeout=0.1)
        assert isinstance(raised.value, zerosuite.TimeoutExpired)
        wait_until(lambda: peers.fate(name)[0] == "cancelled", every=0.01)

    @pytest.mark.parametrize("timeout", [0, -1, float("nan")])
    def test_a_timeout_is_a_positive_number(self, maths, timeout):
        with pytest.raises(ValueError, match="positive number of seconds"):
            maths.add(1, 2, timeout=timeout)

    def test_a_thousand_calls_may_be_open(self, peers):
        futures = [peers.submit("slow_async", 300) for _ in range(1000)]
        assert [future.result() for future in futures] == ["slept"] * 1000


    @pytest.mark.parametrize("options", [{"slots": 0}, {"slots": -1}, {"slots": 1.5}, {"slots": "x"}, {"slots": 2**70},
                                         {"timeout": "x"}, {"timeout": float("nan")}, {"timeout": 0}])
    def test_bad_options_of_a_call_are_refused_and_harm_no_other(self, client, options):
        with pytest.raises((ValueError, TypeError)):
            client("math.range", 0, 3, **options)
        assert client("math.add", 1, 2) == 3

    @pytest.mark.parametrize("timeout", [float("inf"), 1e308, decimal.Decimal("1.5")])
    def test_any_positive_number_is_a_timeout(self, client, timeout):
        assert client("math.add", 1, 2, timeout=timeout) == 3

    @pytest.mark.parametrize("options", [{"heartbeat": 0}, {"heartbeat": -1}, {"heartbeat": float("inf")},
                                         {"max_calls": 0}, {"max_calls": None}])
    def test_bad_options_of_a_client_are_refused(self, options):
        with pytest.raises(ValueError):
            zerosuite.Client("tcp://127.0.0.1:1", **options)

    def test_one_call_more_than_may_be_open_is_refused_here(self, peer):
        with zerosuite.Client(peer.endpoint, max_calls=10) as client:
            futures = [client.submit("slow_async", 300) for _ in range(10)]
            with pytest.raises(zerosuite.TooManyCalls):
                client.none()
            assert [future.result() for future in futures] == ["slept"] * 10
            assert client.none() is None


class TestKeywords:
    def test_keywords_are_put_in_their_places(self, maths):
        assert maths.subtract(b=1, a=3) == 2
        assert maths.math.subtract(3, b=1) == 2
        assert maths("subtract", a=3, b=1) == 2

    def test_what_is_left_out_in_between_has_its_default(self, town, name):
        with zerosuite.Client(town.endpoint) as client:
            grant = client.lock.acquire(name, lease_ms=5000)
            assert grant["lease_ms"] == 5000 and grant["owner"]
            assert client.acquire(name, wait_ms=0, owner="other")["reason"] == "held"
            client.lock.release(name=name, token=grant["token"], owner=grant["owner"])

    def test_the_servers_description_is_asked_for_once(self, maths, monkeypatch):
        asked = []
        inspect = maths.inspect
        monkeypatch.setattr(maths, "inspect", lambda: asked.append(1) or inspect())
        for _ in range(3):
            maths.add(1, b=2)
        assert len(asked) == 1

    def test_a_wrong_keyword_names_the_right_one(self, client, name):
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'lease'; did you mean 'lease_ms'\?"):
            client.lock.acquire(name, lease=5000)

    def test_an_argument_given_twice_is_a_type_error(self, maths):
        with pytest.raises(TypeError, match="multiple values for argument 'a'"):
            maths.add(1, a=2)

    def test_an_argument_that_is_missing_is_a_type_error(self, maths):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
            maths.add(b=2)

    def test_an_unknown_method_names_the_nearest(self, maths):
        with pytest.raises(TypeError, match="no method of that name; did you mean .*subtract"):
            maths.subtrakt(a=1, b=2)

    def test_inspect_describes_the_methods(self, maths):
        described = maths.inspect()
        (about,) = [described[each] for each in ("add", "math.add") if each in described]
        assert [argument["name"] for argument in about["args"]] == ["a", "b"]


class TestStreams:
    def test_items_come_in_order(self, maths):
        assert list(maths.range(0, 20_000)) == list(range(20_000))

    @pytest.mark.parametrize("slots", [1, 2, 3, 10_000])
    def test_any_number_of_items_may_be_on_their_way(self, maths, slots):
        assert list(maths.range(0, 100, slots=slots)) == list(range(100))

    def test_an_empty_stream_is_one(self, maths):
        assert list(maths.range(0, 0)) == []

    def test_an_error_comes_after_the_items(self, peers):
        stream = peers.fail_after(3)
        assert [next(stream) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="no more after 3"):
            next(stream)
        assert list(stream) == []

    def test_leaving_the_loop_stops_the_server(self, peers, name):
        for item in peers.endless(name):
            if item == 100:
                break
        gc.collect()
        wait_until(lambda: peers.fate(name)[0] == "cancelled", every=0.01)

    def test_close_and_with_stop_the_server(self, peers, name):
        with peers.endless(name) as stream:
            assert next(stream) == 0
        assert list(stream) == []
        wait_until(lambda: peers.fate(name)[0] == "cancelled", every=0.01)

    def test_a_consumer_that_does_not_take_stops_the_server_from_sending(self, peers, name):
        stream = peers.endless(name, slots=10)
        assert next(stream) == 0
        wait_until(lambda: peers.fate(name)[1] >= 10, every=0.01)
        assert peers.slow_async(200) == "slept"
        assert peers.fate(name)[1] <= 13
        stream.close()

    def test_several_threads_share_the_items(self, maths):
        stream, taken = maths.range(0, 5000, slots=7), [[] for _ in range(8)]
        threads = [threading.Thread(target=mine.extend, args=(stream,)) for mine in taken]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(sum(taken, [])) == list(range(5000))
        assert all(mine == sorted(mine) for mine in taken)

    def test_close_ends_a_thread_that_waits_for_an_item(self, peers):
        stream = peers.ticks(3, 400, "")
        assert next(stream) == 0
        thread = threading.Thread(target=list, args=(stream,))
        thread.start()
        stream.close()
        thread.join(10)
        assert not thread.is_alive()


class TestFutures:
    def test_a_future_has_the_value_or_the_error(self, maths):
        assert maths.submit("add", 1, 2).result(10) == 3
        assert maths.add.submit(1, b=2).result(10) == 3
        with pytest.raises(ZeroDivisionError):
            maths.submit("divide", 1, 0).result(10)

    def test_a_cancelled_future_cancels_the_method(self, peers, name):
        future = peers.submit("slow_async", 60_000, name)
        wait_until(lambda: peers.fate(name), every=0.01)
        assert future.cancel() and future.cancelled()
        wait_until(lambda: peers.fate(name)[0] == "cancelled", every=0.01)

    def test_a_callback_may_start_calls_but_not_wait_for_them(self, peers):
        came = []

        def waits(future):
            try:
                peers.none()
            except RuntimeError as error:
                came.append(error)

        # Of a call that is over already, the callback would run here.
        peers.submit("slow_async", 200).add_done_callback(waits)
        peers.submit("slow_async", 300).add_done_callback(lambda _: came.append(peers.submit("echo", 7)))
        wait_until(lambda: len(came) == 2, every=0.01)
        assert "would wait for itself" in str(came[0]) and came[1].result(10) == 7

    def test_a_future_may_be_a_stream(self, maths):
        assert list(maths.submit("range", 0, 5).result(10)) == [0, 1, 2, 3, 4]


class TestLife:
    def test_a_client_that_makes_no_call_starts_no_thread(self):
        before = threading.active_count()
        client = zerosuite.Client("tcp://127.0.0.1:9")
        assert threading.active_count() == before
        client.close()

    def test_close_ends_open_calls_and_the_thread(self, peer):
        client = zerosuite.Client(peer.endpoint)
        future = client.submit("slow_async", 60_000)
        client.close()
        with pytest.raises(zerosuite.Closed):
            future.result(10)
        with pytest.raises(zerosuite.Closed):
            client.add(1, 2)
        assert not [thread for thread in threading.enumerate() if thread is client._io._thread]

    def test_a_client_that_is_forgotten_says_so_and_ends(self, math):
        client = zerosuite.Client(math.endpoint)
        client.add(1, 2)
        thread = client._io._thread
        with pytest.warns(ResourceWarning, match="was not closed"):
            del client
            gc.collect()
        thread.join(10)
        assert not thread.is_alive()

    def test_a_client_that_had_locks_and_ids_can_be_forgotten_too(self, town):
        client = zerosuite.Client(town.endpoint)
        with zerosuite.Lock(client, "forgotten client"):
            zerosuite.ids.Ids(client).snowflake()
        thread = client._io._thread
        with pytest.warns(ResourceWarning, match="was not closed"):
            del client
            gc.collect()
        thread.join(10)
        assert not thread.is_alive()

    def test_two_hundred_clients_leave_nothing_behind(self, math):
        for _ in range(5):
            with zerosuite.Client(math.endpoint) as client:
                client.add(1, 2)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(200):
            with zerosuite.Client(math.endpoint) as client:
                client.add(1, 2)
        wait_until(lambda: len(os.listdir("/proc/self/fd")) < before + 20)

    def test_connect_adds_an_endpoint_before_the_first_call(self, math):
        client = zerosuite.Client()
        client.connect(math.endpoint)
        assert client.add(1, 2) == 3
        with pytest.raises(zerosuite.Error, match="before the first call"):
            client.connect(math.endpoint)
        client.close()

    def test_what_others_ask_of_an_object_is_not_called(self, maths):
        assert not hasattr(maths, "__len__") and not hasattr(maths, "_repr_html_")
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            copy.copy(maths)
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            pickle.dumps(maths)
        assert "tcp://" in repr(maths) and "add" in repr(maths.add)

    @pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://:4243", "tcp://127.0.0.1:0",
                                          "http://127.0.0.1:80", "127.0.0.1", "", "ipc://"])
    def test_an_endpoint_that_is_none_is_refused_at_once(self, endpoint):
        with pytest.raises(ValueError, match="is no endpoint"):
            zerosuite.Client(endpoint)

    def test_an_endpoint_that_cannot_be_is_an_error_of_each_call(self):
        client = zerosuite.Client("ipc:///" + "x" * 200)
        with pytest.raises(zerosuite.Error, match="cannot connect to ipc:///x"):
            client.add(1, 2)
        with pytest.raises(zerosuite.Error):
            client.add(1, 2)

    def test_an_endpoint_needs_no_scheme(self, math):
        with zerosuite.Client(math.endpoint.replace("tcp://", "")) as client:
            assert client.add(1, 2) == 3

    def test_nobody_listening_is_said_with_the_endpoint(self):
        with zerosuite.Client("tcp://127.0.0.1:9", heartbeat=0.2) as client:
            with pytest.raises(zerosuite.LostRemote, match="no connection to tcp://127.0.0.1:9 .nobody is listening"):
                client.add(1, 2)

    def test_a_call_waits_for_a_server_that_starts_late(self, own):
        first = own.start_math()
        first.kill()
        with zerosuite.Client(first.endpoint) as client:
            future = client.submit("add", 1, 2)
            wait_until(lambda: client._io.core.links[0].trouble, every=0.01)
            own.keep(Server([BIN / "zerosuite-math", "--bind", first.endpoint, "--proxy", "none"]))
            assert future.result(20) == 3


def test_sixty_four_threads_get_their_own_answers(maths):
    failures = []

    def work(number):
        try:
            for k in range(100):
                assert maths.add(number * 1000, k) == number * 1000 + k
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_a_busy_thread_beside_it_does_not_lose_calls(peer):
    with zerosuite.Client(peer.endpoint, heartbeat=0.5) as client:
        future = client.submit("slow_async", 2500)
        end = time.monotonic() + 2.4
        while time.monotonic() < end:
            sum(range(100_000))
        assert future.result(10) == "slept"


def test_a_program_that_nothing_of_python_ran_in_for_a_while_does_not_lose_its_server(peer):
    def hold_the_interpreter(length):
        began = time.monotonic()
        re.match(r"(a|a)*b", "a" * length)  # all in C: no other thread of Python runs
        return time.monotonic() - began

    length = 18
    while hold_the_interpreter(length) < 0.7:
        length += 1
    with zerosuite.Client(peer.endpoint, heartbeat=0.3) as client:
        future = client.submit("slow_async", 4000)
        client.echo(1)
        assert hold_the_interpreter(length) > 0.3
        assert future.result(20) == "slept"


def test_error_classes_are_those_of_the_documentation():
    text = (ROOT / "docs" / "errors.md").read_text().split("\n## Messages")[0].split("\n## Made by")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.M))
    known = {name: kind for name, kind in errors._CLASSES.items() if name != "LostRemote"}
    assert set(known) == set(documented)
    for name, meaning in documented.items():
        assert known[name].__doc__.rstrip(".").lower() == meaning.rstrip(".").lower()


@pytest.mark.parametrize("name", sorted(errors._CLASSES))
def test_every_error_can_be_pickled_and_shown(name):
    error = errors.remote_error([name, 'what {"a":1}', None])
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), back.name, back.msg, back.traceback) == (type(error), name, error.msg, None)
    assert str(error) == f'{name}: what {{"a":1}}' and error.details == {"a": 1}
