"""Several workers with data of their own behind one proxy: the service's calls belong to one owner of one state."""

import shutil
import signal

import pytest

from support.fake_worker import FakeWorker
from support.programs import BIN, Server, wait_until
from support.proxies import ANY_PORT
from support.raw import Raw
from support.redis_server import RedisServer

SOON = 5.0  # a refused worker asks again every second

SERVICES = {"lock": ("zerosuite-lock", "lock.acquire", ["n", "a"]), "id": ("zerosuite-id", "id.seq", ["n"])}


def start(suite, service, proxy, folder=None, bind=ANY_PORT):
    """A worker with its data in `folder`."""
    folder = folder or suite.folder()
    worker = suite.keep(Server([BIN / SERVICES[service][0], "--bind", bind, "--proxy", proxy.back, "--data", folder]))
    worker.folder = folder
    return worker


def direct(worker, method, *args):
    with Raw(worker.endpoint) as raw:
        return raw.value(method, *args)


def error_through(proxy, method, *args):
    with Raw(proxy.endpoint) as raw:
        return raw.error(method, *args)[0]


def serving(proxy):
    return [worker["data"] for worker in proxy.workers().values()]


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


def test_a_second_worker_with_other_data_is_refused_and_says_so_wherever_one_might_look(suite, service):
    proxy = suite.start_proxy()
    first = start(suite, service, proxy)
    proxy.await_workers(1)
    second = start(suite, service, proxy)
    refusal = proxy.await_line(r"registration refused error=StateConflict reason=(.*)").group(1)
    assert first.folder in refusal and second.folder in refusal
    told = second.await_line(r" refused proxy=\S+ error=StateConflict reason=(.*)").group(1)
    assert first.folder in told and second.folder in told
    health = direct(second, "health")
    assert health["ok"] is False and "StateConflict" in health["reasons"][0] and first.folder in health["reasons"][0]
    assert direct(first, "health") == {"ok": True, "reasons": []}

    assert len(serving(proxy)) == 1 and serving(proxy)[0].endswith(first.folder)
    _, method, args = SERVICES[service]
    for n in range(20):
        proxy.call(method, f"{args[0]}{n}", *args[1:])
    assert direct(second, method.split(".")[1], *args), "it serves its own endpoint"


def test_other_data_are_refused_also_after_the_first_worker_has_left_until_an_operator_says_otherwise(suite, service):
    proxy = suite.start_proxy()
    first = start(suite, service, proxy)
    proxy.await_workers(1)
    state = next(iter(proxy.workers().values()))["state_id"]
    second = start(suite, service, proxy)
    second.await_line(r" refused ")
    assert error_through(proxy, "proxy.forget", service) == "InvalidArgument", "somebody serves it"
    first.kill()
    wait_until(lambda: not proxy.workers())
    second.await_line(r" refused .*belong to state")
    _, method, args = SERVICES[service]
    assert error_through(proxy, method, *args) == "Unavailable"

    assert proxy.call("proxy.forget", service) == state
    wait_until(lambda: serving(proxy) and serving(proxy)[0].endswith(second.folder), SOON)
    assert direct(second, "health")["ok"] is True
    assert proxy.call(method, *args)


def test_a_worker_that_is_killed_and_started_again_on_its_folder_is_taken_at_once(suite, service):
    proxy = suite.start_proxy()
    first = start(suite, service, proxy)
    proxy.await_workers(1)
    first.kill()
    again = start(suite, service, proxy, first.folder, first.endpoint)
    proxy.await_workers(2, SOON)
    assert "refused" not in again.log()
    _, method, args = SERVICES[service]
    wait_until(lambda: proxy.call("proxy.ready", service))
    assert proxy.call(method, *args)


def test_a_copy_of_the_folder_waits_until_the_first_is_gone(suite, service):
    proxy = suite.start_proxy()
    first = start(suite, service, proxy)
    proxy.await_workers(1)
    copy = suite.folder() + "/copy"
    shutil.copytree(first.folder, copy)
    second = start(suite, service, proxy, copy)
    second.await_line(r" refused .*StateConflict")
    first.kill()
    wait_until(lambda: serving(proxy) and serving(proxy)[0].endswith(copy), SOON)


def test_a_copy_takes_over_from_a_worker_that_hangs_when_it_has_been_silent_for_three_seconds(suite):
    proxy = suite.start_proxy()
    first = start(suite, "lock", proxy)
    proxy.await_workers(1)
    copy = suite.folder() + "/copy"
    shutil.copytree(first.folder, copy)
    start(suite, "lock", proxy, copy).await_line(r" refused ")
    first.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: serving(proxy) and serving(proxy)[0].endswith(copy), 3 + SOON)
    first.process.send_signal(signal.SIGCONT)
    first.await_line(r" refused .*StateConflict")
    assert len(proxy.workers()) == 1


def test_issuers_on_one_redis_stand_side_by_side_and_one_on_another_does_not_join_them(suite):
    proxy = suite.start_proxy()

    def issuer(redis):
        return suite.keep(Server([BIN / "zerosuite-id", "--bind", ANY_PORT, "--proxy", proxy.back, "--data",
                                  suite.folder(), "--store", "redis", "--redis", redis.address]))

    shared, other = RedisServer(suite), RedisServer(suite)
    issuer(shared), issuer(shared)
    proxy.await_workers(2)
    states = {worker["state_id"] for worker in proxy.workers().values()}
    assert len(states) == 1
    assert all(worker["shared"] for worker in proxy.workers().values())
    issuer(other).await_line(r" refused .*StateConflict")
    assert sorted(proxy.call("id.seq", "n") for _ in range(20)) == list(range(1, 21))


def test_workers_that_keep_nothing_stand_side_by_side(suite):
    proxy = suite.start_proxy()
    for _ in range(3):
        suite.start_worker("zerosuite-math", proxy.back)
    proxy.await_workers(3)
    assert all(worker["state_id"] is None for worker in proxy.workers().values())


def test_a_worker_is_told_whose_proxy_it_has_joined(suite):
    proxy = suite.start_proxy()
    worker = suite.start_worker("zerosuite-math", proxy.back)
    line = worker.await_line(r" registered (.*)").group(1)
    assert f"process {proxy.process.pid}" in line


def test_nobody_takes_the_place_of_a_lock_broker_without_its_data_nor_under_its_id(suite):
    proxy = suite.start_proxy()
    start(suite, "lock", proxy)
    real = proxy.await_workers(1)[0]
    with FakeWorker(proxy.back) as rogue:
        name, args = rogue.introduce("lock", ["acquire"], id="lock-evil", weight=1_000_000, sticky=True)
        assert (name, args[0]) == ("_zpx_refused", "StateConflict")
        name, args = rogue.introduce("lock", ["acquire"], id=real)
        assert (name, args[0]) == ("_zpx_refused", "InvalidArgument")
        assert list(proxy.workers()) == [real]
        assert proxy.call("lock.acquire", "n", "a")["ok"]


def test_services_that_come_and_go_by_the_hundred_leave_room_for_an_honest_one(suite):
    proxy = suite.start_proxy()
    with FakeWorker(proxy.back) as rogue:
        for n in range(300):
            rogue.tell("_zpx_ready", {"id": "rogue", "service": f"svc{n}", "methods": {"m": {}}})
        suite.start_worker("zerosuite-math", proxy.back)
        wait_until(lambda: proxy.call("proxy.ready", "math"))
        assert proxy.call("math.add", 1, 2) == 3
