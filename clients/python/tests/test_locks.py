"""Locks of the synchronous client against the lock service, directly and through the proxy."""

import gc
import logging
import threading
import time
import warnings

import pytest

import zerosuite
from support.programs import wait_until
from zerosuite import errors


@pytest.fixture
def client(locks):
    with zerosuite.Client(locks.endpoint) as client:
        yield client


@pytest.fixture
def other(locks):
    with zerosuite.Client(locks.endpoint) as client:
        yield client


def held(client, name):
    return client("lock.info", name)["held"]


def in_thread(function, *args):
    """Runs it in a thread of its own; its result."""
    result = []
    thread = threading.Thread(target=lambda: result.append(function(*args)))
    thread.start()
    thread.join(30)
    assert result, "the thread has failed"
    return result[0]


class TestLock:
    def test_a_block_runs_while_the_lock_is_held(self, client, name):
        with zerosuite.Lock(client, name) as hold:
            assert held(client, name) and hold.token > 0 and hold.name == name and 29 < hold.expires_in < 30
            hold.check()
        assert not held(client, name)

    def test_a_block_that_another_thread_ends_releases_its_lock(self, client, name):
        lock = zerosuite.Lock(client, name)

        def work():
            with lock:
                yield held(client, name)

        steps = work()
        assert in_thread(next, steps)
        assert next(steps, "ended") == "ended"
        assert not held(client, name)

    def test_a_block_does_not_release_what_another_thread_has_entered_meanwhile(self, client, name):
        lock = zerosuite.Semaphore(client, name, limit=2)
        entered, leave = threading.Event(), threading.Event()

        def other_block():
            with lock as hold:
                entered.set()
                assert leave.wait(20)
                hold.check()
            return True

        thread = threading.Thread(target=other_block)
        with pytest.raises(zerosuite.LockLost, match="released inside its own block"), lock:
            thread.start()
            assert entered.wait(20)
            lock.release()
        assert held(client, name)
        leave.set()
        thread.join(20)
        assert not held(client, name)

    def test_a_client_with_all_its_calls_in_use_renews_its_locks(self, locks, other, name):
        with zerosuite.Client(locks.endpoint, max_calls=2) as client, zerosuite.Lock(other, name + " busy"):
            with zerosuite.Lock(client, name, lease=0.6) as hold:
                waits = [client.submit("lock.acquire", name + " busy", f"owner {n}", 1000, 20_000) for n in range(2)]
                wait_until(lambda: other("lock.info", name + " busy")["queue_len"] == 2)
                assert not hold.lost.wait(1.0)
                for wait in waits:
                    wait.cancel()
                wait_until(lambda: other("lock.info", name + " busy")["queue_len"] == 0)

    def test_the_holds_of_a_client_whose_thread_fails_are_lost(self, locks, name, monkeypatch):
        with zerosuite.Client(locks.endpoint) as client:
            told = threading.Event()
            lock = zerosuite.Lock(client, name, on_lost=lambda hold: told.set())
            assert lock.acquire()
            hold = lock.hold
            monkeypatch.setattr(client._io.core, "submit", lambda *_: 1 / 0)
            with pytest.raises(zerosuite.Error, match="the client's thread has failed"):
                client("lock.info", name)
            assert hold.lost.wait(5) and told.wait(5)

    def test_a_forgotten_lock_does_no_harm_where_warnings_are_errors(self, client, name):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert zerosuite.Lock(client, name, lease=0.3).acquire()
            gc.collect()
            wait_until(lambda: not held(client, name))

    def test_a_block_never_runs_unlocked(self, client, other, name):
        with zerosuite.Lock(client, name):
            with pytest.raises(zerosuite.NotAcquired, match="did not become free within 0.05 s"):
                with zerosuite.Lock(other, name, wait=0.05):
                    pytest.fail("the body ran without the lock")

    def test_acquire_says_whether_it_is_held(self, client, other, name):
        mine, theirs = zerosuite.Lock(client, name), zerosuite.Lock(other, name)
        assert mine.acquire()
        assert theirs.acquire(blocking=False) is False
        assert theirs.acquire(timeout=0) is False
        began = time.monotonic()
        assert theirs.acquire(timeout=0.3) is False
        assert 0.29 < time.monotonic() - began < 5.0
        mine.release()
        assert theirs.acquire(timeout=0.05) is True
        theirs.release()

    def test_a_waiter_gets_the_lock_when_it_is_released(self, client, other, name):
        mine, theirs = zerosuite.Lock(client, name), zerosuite.Lock(other, name)
        mine.acquire()
        waiter = threading.Thread(target=theirs.acquire)
        waiter.start()
        wait_until(lambda: client("lock.info", name)["queue_len"] == 1, every=0.01)
        mine.release()
        waiter.join(10)
        assert theirs.token > 0
        theirs.release()

    def test_tokens_increase(self, client, name):
        tokens = []
        for _ in range(5):
            with zerosuite.Lock(client, name) as hold:
                tokens.append(hold.token)
        assert tokens == sorted(set(tokens))

    def test_two_threads_of_one_client_do_not_let_one_another_in(self, client, name):
        lock = zerosuite.Lock(client, name)
        with lock:
            assert in_thread(lambda: lock.acquire(blocking=False)) is False

    def test_a_lock_that_this_thread_holds_already_is_an_error_rather_than_a_deadlock(self, client, name):
        lock = zerosuite.Lock(client, name)
        with lock:
            with pytest.raises(errors.NotReentrant):
                lock.acquire(timeout=1)
            assert lock.acquire(blocking=False) is False

    def test_another_thread_may_release_it(self, client, name):
        lock = zerosuite.Lock(client, name)
        lock.acquire()
        in_thread(lambda: lock.release() or True)
        assert not held(client, name)

    def test_what_is_not_held_cannot_be_released(self, client, name):
        with pytest.raises(RuntimeError) as raised:
            zerosuite.Lock(client, name).release()
        assert isinstance(raised.value, zerosuite.NotHeld)

    def test_the_arguments_are_those_of_threading(self, client, name):
        lock = zerosuite.Lock(client, name)
        with pytest.raises(ValueError):
            lock.acquire(False, 1)
        with pytest.raises(ValueError):
            lock.acquire(True, -2)
        assert lock.locked() is False

    @pytest.mark.parametrize("bad", ["", "x" * 256])
    def test_a_name_that_is_none_is_refused_at_once(self, client, bad):
        with pytest.raises(ValueError, match="1 to 255 bytes"):
            zerosuite.Lock(client, bad)

    @pytest.mark.parametrize("lease", [0, -1, 0.001, float("inf"), float("nan")])
    def test_a_lease_that_is_none_is_refused_at_once(self, client, lease):
        with pytest.raises(ValueError, match="lease"):
            zerosuite.Lock(client, "x", lease=lease)

    def test_a_grant_that_this_thread_never_heard_of_is_given_back_first(self, client, name):
        """The service died after the grant, and the caller gave up before it was back."""
        owner = zerosuite._locks.Registry.of(client).owner
        assert client("lock.acquire", name, owner, 60_000)["ok"]
        with zerosuite.Lock(client, name, wait=5) as hold:
            assert client("lock.info", name)["holders"][0]["token"] == hold.token
        names = [name + "1", name + "2"]
        assert client("lock.acquire_many", names, owner, 60_000)["ok"]
        assert zerosuite.Lock(client, names[1]).acquire(blocking=False)

    def test_a_deadlock_is_raised(self, client, other, name):
        with zerosuite.Lock(client, name + "1"):
            taken, waiting = threading.Event(), []

            def cross():
                with zerosuite.Lock(other, name + "2"):
                    taken.set()
                    waiting.append(zerosuite.Lock(other, name + "1").acquire(timeout=20))

            thread = threading.Thread(target=cross)
            thread.start()
            taken.wait(10)
            wait_until(lambda: client("lock.info", name + "1")["queue_len"] == 1, every=0.01)
            with pytest.raises(zerosuite.Deadlock) as raised:
                zerosuite.Lock(client, name + "2").acquire(timeout=20)
            assert isinstance(raised.value, zerosuite.LockError) and raised.value.details["cycle"]
        thread.join(10)
        assert waiting == [True]

    def test_a_block_gives_back_its_own_hold_and_nobody_elses(self, client, name):
        """Of an object that several threads share, even if the block's hold was released in the meantime."""
        lock = zerosuite.Lock(client, name, shared=True)
        assert in_thread(lock.acquire)
        with pytest.raises(zerosuite.LockLost, match="released inside its own block"):
            with lock:
                lock.release()
        assert held(client, name)
        lock.release()
        assert not held(client, name)

    def test_the_error_of_the_body_comes_through(self, client, name):
        with pytest.raises(KeyError):
            with zerosuite.Lock(client, name):
                raise KeyError("the body's")
        assert not held(client, name)

    def test_a_lock_can_be_taken_and_released_again_and_again(self, client, name):
        lock = zerosuite.Lock(client, name, lease=5.0)
        for _ in range(300):
            with lock:
                pass
        assert not held(client, name) and lock._holds == []


class TestRenewal:
    def test_a_lock_is_kept_for_many_leases(self, client, name):
        with zerosuite.Lock(client, name, lease=0.9) as hold:
            before = client("lock.info", name)["holders"][0]["token"]
            assert not hold.lost.wait(2.5)
            assert client("lock.info", name)["holders"][0]["token"] == before == hold.token
            hold.check()

    def test_a_lock_taken_by_an_operator_is_lost_and_says_so(self, client, name):
        told = []
        lock = zerosuite.Lock(client, name, lease=3.0, on_lost=told.append)
        with pytest.raises(zerosuite.LockLost, match="StaleToken|NotHeld"):
            with lock as hold:
                client("lock.force_release", name, "an operator")
                assert hold.lost.wait(10)
                wait_until(lambda: told == [hold], every=0.01)
                with pytest.raises(zerosuite.LockLost):
                    hold.check()

    def test_the_error_of_the_body_goes_before_the_loss(self, client, name, caplog):
        with pytest.raises(KeyError), caplog.at_level(logging.WARNING, "zerosuite"):
            with zerosuite.Lock(client, name, lease=3.0) as hold:
                client("lock.force_release", name, "an operator")
                assert hold.lost.wait(10)
                raise KeyError("the body's")
        assert "lost" in caplog.text

    def test_a_lost_lock_can_be_taken_again(self, client, name):
        lock = zerosuite.Lock(client, name, lease=3.0)
        lock.acquire()
        lost = lock.hold
        client("lock.force_release", name, "an operator")
        assert lost.lost.wait(10)
        with pytest.raises(zerosuite.LockLost):
            lock.release()
        with lock as hold:
            assert hold.token > lost.token

    def test_a_forgotten_lock_is_free_after_its_lease(self, client, name):
        with pytest.warns(ResourceWarning, match="forgotten"):
            zerosuite.Lock(client, name, lease=0.3).acquire()
            gc.collect()
            wait_until(lambda: not held(client, name), every=0.02)

    def test_max_hold_ends_a_lock_that_nobody_releases(self, client, name):
        with pytest.raises(zerosuite.LockLost):
            with zerosuite.Lock(client, name, lease=0.3, max_hold=0.5) as hold:
                assert hold.lost.wait(5)
                wait_until(lambda: not held(client, name), every=0.01)

    def test_extend_changes_the_lease(self, client, name):
        with zerosuite.Lock(client, name, lease=5.0) as hold:
            hold.extend(20.0)
            assert hold.expires_in > 19.0
            assert client("lock.info", name)["holders"][0]["remaining_ms"] > 19_000

    def test_closing_the_client_is_a_loss(self, locks, name):
        client = zerosuite.Client(locks.endpoint)
        lock = zerosuite.Lock(client, name, lease=0.5)
        lock.acquire()
        hold = lock.hold
        client.close()
        assert hold.lost.is_set() and "closed" in hold.reason

    def test_a_hundred_locks_are_renewed_in_few_calls(self, client, name):
        all_locks = [zerosuite.Lock(client, f"{name} {number}", lease=3.0) for number in range(100)]
        for lock in all_locks:
            assert lock.acquire()
        renewals, ask = [], zerosuite._locks.Registry.of(client).renewals._ask
        zerosuite._locks.Registry.of(client).renewals._ask = lambda *call: renewals.append(call) or ask(*call)
        time.sleep(3.2)
        for lock in all_locks:
            lock.check()
            lock.release()
        assert 1 <= len(renewals) < 20


class TestOtherKinds:
    def test_an_rlock_may_be_entered_again_and_is_free_after_as_many_exits(self, client, name):
        lock = zerosuite.RLock(client, name)
        with lock as outer:
            with lock as inner:
                assert inner is outer and lock.token == outer.token
            assert held(client, name)
        assert not held(client, name)

    def test_an_rlock_is_the_threads_not_the_objects(self, client, name):
        lock = zerosuite.RLock(client, name)
        with lock:
            assert in_thread(lambda: lock.acquire(blocking=False)) is False

            def release():
                with pytest.raises(RuntimeError):
                    lock.release()
                return True

            assert in_thread(release)
            with zerosuite.RLock(client, name):
                pass
            assert held(client, name)

    def test_a_semaphore_lets_in_its_limit(self, client, other, name):
        semaphore = zerosuite.Semaphore(client, name, 3)
        assert [semaphore.acquire(timeout=0) for _ in range(4)] == [True, True, True, False]
        assert zerosuite.Semaphore(other, name, 3).acquire(timeout=0) is False
        for _ in range(3):
            semaphore.release()
        with zerosuite.Semaphore(other, name, 3, permits=3):
            assert semaphore.acquire(timeout=0) is False

    def test_a_semaphore_is_renewed_for_each_hold(self, client, name):
        semaphore = zerosuite.Semaphore(client, name, 2, lease=0.9)
        assert semaphore.acquire() and semaphore.acquire()
        assert not semaphore.lost.wait(2.0)
        assert client("lock.info", name)["holder_count"] == 2
        semaphore.release()
        semaphore.release()

    def test_readers_share_and_a_writer_does_not(self, client, other, name):
        mine, theirs = zerosuite.RWLock(client, name), zerosuite.RWLock(other, name)
        with mine.read:
            assert theirs.read.acquire(timeout=0)
            theirs.read.release()
            assert in_thread(lambda: theirs.write.acquire(timeout=0)) is False
        with mine.write:
            assert theirs.read.acquire(timeout=0) is False

    def test_a_set_is_taken_as_a_whole(self, client, other, name):
        names = [f"{name} {letter}" for letter in "abc"]
        with zerosuite.Lock(client, names[1]):
            assert zerosuite.MultiLock(other, names).acquire(timeout=0) is False
            assert not held(client, names[0])
        with zerosuite.MultiLock(other, names[::-1], lease=0.9) as hold:
            assert all(held(client, each) for each in names)
            assert not hold.lost.wait(2.0)
        assert not any(held(client, each) for each in names)

    def test_a_set_that_was_lost_says_so(self, client, name):
        names = [f"{name} {letter}" for letter in "ab"]
        with pytest.raises(zerosuite.LockLost):
            with zerosuite.MultiLock(client, names, lease=20):
                client("lock.force_release", names[1], "an operator")

    def test_a_set_is_a_list_of_names(self, client):
        with pytest.raises(TypeError):
            zerosuite.MultiLock(client, "abc")
        with pytest.raises(ValueError):
            zerosuite.MultiLock(client, [])

    def test_a_decorated_function_runs_under_the_lock(self, client, name):
        @zerosuite.locked(name + "-{item}", client, wait=1)
        def sell(item, count=1):
            """Sells."""
            assert held(client, f"{name}-{item}")
            return item * count

        assert sell(3) == 3 and sell(item=4, count=2) == 8 and sell.__doc__ == "Sells."
        assert not held(client, f"{name}-3")

    def test_the_decorator_refuses_async_functions(self, client):
        async def function():
            pass

        with pytest.raises(TypeError, match="zerosuite.aio.locked"):
            zerosuite.locked("x", client)(function)

    def test_the_decorator_refuses_generators_whose_body_would_run_unlocked(self, client):
        def numbers():
            yield 1

        async def later():
            yield 1

        for function in (numbers, later):
            with pytest.raises(TypeError, match="generator function"):
                zerosuite.locked("x", client)(function)

    def test_the_default_client_goes_where_the_environment_says(self, locks, name, monkeypatch):
        monkeypatch.setenv("ZEROSUITE_ENDPOINT", locks.endpoint)

        @zerosuite.locked(name)
        def work():
            return zerosuite.Lock(zerosuite.default_client(), name).locked()

        try:
            assert work() is True
        finally:
            zerosuite.default_client().close()


def test_fifty_threads_take_turns(client, name):
    stock, inside, failures = [50], [0], []

    def buy():
        try:
            with zerosuite.Lock(client, name):
                inside[0] += 1
                assert inside[0] == 1
                left = stock[0]
                time.sleep(0.001)
                stock[0] = left - 1
                inside[0] -= 1
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=buy) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert stock == [0] and not failures


def test_endpoints_that_lead_to_different_lock_services_are_found_out(own, name):
    first, second = own.start_lock(), own.start_lock()
    with zerosuite.Client(second.endpoint) as client:
        for _ in range(3):
            with zerosuite.Lock(client, name):
                pass
        registry = zerosuite._locks.Registry.of(client)
        registry.newest += 10_000_000_000
        with pytest.raises(zerosuite.LockError, match="lead to different lock services"):
            zerosuite.Lock(client, name).acquire(timeout=1)
        registry.newest = 0
        with zerosuite.Lock(client, name, wait=5):
            pass
    assert first.endpoint != second.endpoint
