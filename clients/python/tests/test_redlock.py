"""Programs written for redlock-py or the SETNX recipe, with an import changed."""

import threading
import time

import pytest

import zerosuite
from zerosuite import redlock


@pytest.fixture
def dlm(town):
    with zerosuite.Redlock([town.endpoint]) as dlm:
        yield dlm


def test_lock_returns_what_redlock_py_returns(dlm, name):
    lock = dlm.lock(name, 1000)
    assert lock.resource == name and 900 < lock.validity < 1000 and lock.key
    assert tuple(lock) == (lock.validity, lock.resource, lock.key)
    assert dlm.unlock(lock) is None


def test_lock_returns_false_while_somebody_else_has_it(town, dlm, name):
    lock = dlm.lock(name, 60_000)
    with zerosuite.Redlock([{"host": "127.0.0.1", "port": int(town.endpoint.rsplit(":", 1)[1])}], retry_count=2,
                           retry_delay=0.05) as other:
        began = time.monotonic()
        assert other.lock(name, 1000) is False
        assert 0.09 < time.monotonic() - began < 2.0
        dlm.unlock(lock)
        assert other.lock(name, 1000)


def test_its_own_second_lock_waits_too(dlm, name):
    dlm.retry_count = 50
    assert dlm.lock(name, 300)
    assert dlm.lock(name, 1000), "the first has expired meanwhile"


def test_unlocking_what_has_expired_does_nothing(dlm, name):
    dlm.retry_count = 50
    lock = dlm.lock(name, 300)
    newer = dlm.lock(name, 60_000)  # waits until the first has expired
    dlm.unlock(lock)
    dlm.retry_count = 1
    assert dlm.lock(name, 1000) is False
    dlm.unlock(newer)


def test_ttl_is_an_integer(dlm, name):
    with pytest.raises(ValueError, match="is not an integer"):
        dlm.lock(name, 0.5)


def test_a_client_can_be_shared(client, name):
    assert zerosuite.Redlock(client).lock(name, 1000)
    assert zerosuite.Redlock([client]).client is client


def test_no_server_is_an_error():
    with pytest.raises(redlock.CannotObtainLock):
        zerosuite.Redlock([])


def test_a_service_that_cannot_be_asked_is_the_exception_of_redlock_py():
    dlm = zerosuite.Redlock(["tcp://127.0.0.1:9"], retry_count=1, retry_delay=0.01)
    with pytest.raises(redlock.MultipleRedlockException) as raised:
        dlm.lock("x", 1000)
    assert raised.value.errors and "127.0.0.1:9" in str(raised.value)
    dlm.close()


def test_it_excludes_and_is_excluded_by_the_other_locks(client, dlm, name):
    with zerosuite.Lock(client, name):
        assert dlm.lock(name, 1000) is False
    lock = dlm.lock(name, 60_000)
    assert zerosuite.Lock(client, name).acquire(timeout=0) is False
    dlm.unlock(lock)


def test_acquire_lock_and_release_lock_are_the_recipes(client, name):
    identifier = zerosuite.acquire_lock(name, client=client)
    assert isinstance(identifier, str)
    assert zerosuite.acquire_lock(name, acquire_time=0.1, client=client) is False
    assert zerosuite.release_lock(name, "somebody else's", client=client) is False
    assert zerosuite.release_lock(name, identifier, client=client) is True
    assert zerosuite.acquire_lock(name, 1, 0.3, client=client)
    assert zerosuite.acquire_lock(name, 5, 10, client=client)


def test_the_founding_documents_threads_sell_fifty_goods(town, name, monkeypatch):
    monkeypatch.setenv("ZEROSUITE_ENDPOINT", town.endpoint)
    stock, sold = [50], []

    def seckill():
        identifier = zerosuite.acquire_lock(name, 50)
        if identifier:
            left = stock[0]
            time.sleep(0.001)
            stock[0] = left - 1
            sold.append(identifier)
            assert zerosuite.release_lock(name, identifier)

    threads = [threading.Thread(target=seckill) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    zerosuite.default_client().close()
    assert stock == [0] and len(set(sold)) == 50
