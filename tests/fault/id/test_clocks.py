"""Faults 1 to 6: the wall clock of an issuer's machine is stepped, while it runs and while it does not."""

import time

import pytest

from support.id_service import retry_after, time_ms_of
from support.programs import wait_until
from support.raw import Raw

YEAR = 365 * 86_400
KINDS = ("snowflake", "segment", "seq", "durable", "daily", "uuid7", "uuid6", "ulid")
MAX_LEAD = 600  # s that the wall clock may be behind the time of ids
WINDOW_MS = 5000  # so far ahead a window may be reserved, which is left out after a step


RISING = ("uuid6", "uuid7", "ulid", "ksuid")


@pytest.fixture
def issuer(start_issuer, clock):
    issuer = start_issuer(clock=clock)
    issuer.call("tag_create", "t")
    return issuer


def of_each(ask, issuer, n=10):
    """Ids of every kind; their order is looked at in the end."""
    return {kind: ask(issuer, kind, n) for kind in KINDS}


def lead_ms(issuer):
    return issuer.call("stats")["clock_lead_ms"]


def ahead_ms(answer):
    """How far a snowflake's time is ahead of the machine's."""
    return time_ms_of(answer.first) - time.time() * 1000


def test_1_a_step_back_of_a_few_ms_has_no_visible_effect(issuer, clock, ask):
    of_each(ask, issuer)
    for step in (-0.002, -0.005, -0.009):
        clock.step(step)
        begun = time.monotonic()
        of_each(ask, issuer)
        assert time.monotonic() - begun < 2, "nobody waits for the clock"
    assert issuer.reasons() == []
    assert issuer.call("stats")["clock_breaks"] == 0


@pytest.mark.parametrize("back", [1.5, 30, 600])
def test_2_a_step_back_of_up_to_ten_minutes_is_not_seen_in_the_ids(issuer, clock, ask, back):
    before = of_each(ask, issuer)["snowflake"]
    clock.step(-back)
    after = of_each(ask, issuer)["snowflake"]
    assert 0 <= time_ms_of(after.first) - time_ms_of(before.first) <= WINDOW_MS, "they go on with the time that they had"
    assert back * 1000 - 500 < lead_ms(issuer) <= back * 1000 + WINDOW_MS, "and it is told how far they are ahead"
    assert issuer.call("stats")["clock_breaks"] == 1
    assert issuer.reasons() == []
    of_each(ask, issuer)


def test_2_the_lead_is_worked_off(issuer, clock, ask):
    of_each(ask, issuer)
    clock.step(-1.5)
    of_each(ask, issuer)
    begun, lead = time.monotonic(), lead_ms(issuer)
    wait_until(lambda: lead_ms(issuer) <= lead - 100)
    assert 0.5 < time.monotonic() - begun < 5, "a tenth of the time that passes"
    of_each(ask, issuer)


def test_3_a_step_back_beyond_the_lead_stops_snowflakes_alone_until_the_clock_is_right(issuer, clock, ask):
    of_each(ask, issuer)
    clock.step(-MAX_LEAD - 60)
    name, message = ask.error(issuer, "snowflake")
    assert name == "ClockRollback"
    assert 55_000 < retry_after(message) <= 65_000
    assert "ClockRollback" in issuer.reasons()
    for kind in ("segment", "seq", "durable"):
        ask(issuer, kind, 10)
    for kind in ("uuid7", "ulid"):
        ask(issuer, kind, 10)
    clock.step(0)
    of_each(ask, issuer)
    assert issuer.reasons() == []


@pytest.mark.parametrize("end", ["kill", "finish"])
@pytest.mark.parametrize("back", [0.5, 3, 60, 600])
def test_4_a_step_back_while_it_was_stopped_repeats_nothing(issuer, clock, ask, end, back):
    began = time.monotonic()
    before = of_each(ask, issuer)
    getattr(issuer, end)()
    clock.step(-back)
    issuer.start()
    after = of_each(ask, issuer)
    for kind in ("snowflake", "segment", "seq", "durable", "daily"):
        assert after[kind].first > before[kind].last, "it goes on above what was kept"
    lead = lead_ms(issuer)
    assert lead >= (back - (time.monotonic() - began)) * 1000 - 1


@pytest.mark.parametrize("end", ["kill", "finish"])
def test_4_a_step_back_beyond_the_lead_while_it_was_stopped_is_refused(issuer, clock, ask, end):
    of_each(ask, issuer)
    getattr(issuer, end)()
    clock.step(-MAX_LEAD - 120)
    issuer.start()
    name, message = ask.error(issuer, "snowflake")
    assert name == "ClockRollback"
    assert retry_after(message) > 110_000
    ask(issuer, "seq", 10)
    clock.step(0)
    of_each(ask, issuer)


@pytest.mark.parametrize("leap", [70, 3600, 10 * YEAR])
def test_5_a_leap_forward_is_not_followed_and_poisons_nothing(issuer, clock, ask, leap):
    before = of_each(ask, issuer)["segment"]
    clock.step(leap)
    jumped = of_each(ask, issuer)
    assert abs(ahead_ms(jumped["snowflake"])) < WINDOW_MS, "ids keep the time since the start"
    assert "ClockJump" in issuer.reasons()
    assert jumped["segment"].first > before.last + 1, "what was reserved before the leap is not used"
    assert issuer.call("stats")["clock_breaks"] == 1
    clock.step(0)
    corrected = of_each(ask, issuer)
    assert abs(ahead_ms(corrected["snowflake"])) < 2 * WINDOW_MS
    assert issuer.reasons() == []
    assert lead_ms(issuer) < 2 * WINDOW_MS


def test_5_a_leap_forward_that_lasts_over_a_kill_poisons_nothing_once_it_is_corrected(issuer, clock, ask):
    of_each(ask, issuer)
    clock.step(10 * YEAR)
    of_each(ask, issuer)
    issuer.kill()
    clock.step(0)
    issuer.start()
    assert abs(ahead_ms(of_each(ask, issuer)["snowflake"])) < 10_000
    assert issuer.reasons() == []


def test_5_a_small_leap_forward_is_followed(issuer, clock, ask):
    of_each(ask, issuer)
    clock.step(50)
    assert 45_000 < ahead_ms(of_each(ask, issuer)["snowflake"]) < 55_000
    assert issuer.reasons() == []


def test_5_a_store_with_a_clock_of_its_own_confirms_a_leap_of_a_clock_that_was_wrong_before(
        start_issuer, start_redis, clock, ask):
    clock.step(-3600)
    issuer = start_issuer(redis=start_redis(), clock=clock, renew_ms=200, lease_ms=3000)
    assert -3_605_000 < ahead_ms(ask(issuer, "snowflake")) < -3_590_000
    clock.step(0)
    wait_until(lambda: ahead_ms(ask(issuer, "snowflake")) > -10_000)
    assert issuer.reasons() == []


def test_5_a_store_with_a_clock_of_its_own_does_not_confirm_a_leap_into_the_future(
        start_issuer, start_redis, clock, ask):
    issuer = start_issuer(redis=start_redis(), clock=clock, renew_ms=100, lease_ms=3000)
    ask(issuer, "snowflake")
    clock.step(10 * YEAR)
    until = time.monotonic() + 0.5  # several renewals
    while time.monotonic() < until:
        assert ahead_ms(ask(issuer, "snowflake")) < 10_000
    assert "ClockJump" in issuer.reasons()


def test_6_a_leap_second_is_a_second_twice_and_nothing_else(issuer, clock, ask):
    of_each(ask, issuer)
    clock.step(-1)  # as POSIX repeats 23:59:59
    for _ in range(5):
        of_each(ask, issuer)
    assert issuer.reasons() == []
    assert 0 < lead_ms(issuer) <= 1000 + WINDOW_MS


def test_6_a_smeared_leap_second_is_not_noticed(issuer, clock, ask):
    of_each(ask, issuer)
    for step in range(1, 41):
        clock.step(-step / 40)
        ask(issuer, "snowflake", 10)
        ask(issuer, "uuid7", 10)
    of_each(ask, issuer)
    assert issuer.call("stats")["clock_breaks"] == 0
    assert issuer.reasons() == []


@pytest.mark.parametrize("end", ["kill", "finish"])
def test_4_a_step_back_while_it_was_stopped_is_not_seen_in_rising_random_ids(issuer, clock, end):
    last = {kind: "" for kind in RISING}
    for back in (0, -1, -5, -300, -86_400, -86_400):
        for kind in RISING:
            for n in (1, 1, 500):
                ids = issuer.call(kind, n)
                for id in ids if isinstance(ids, list) else [ids]:
                    assert id > last[kind], (kind, back)
                    last[kind] = id
        getattr(issuer, end)()
        clock.step(back)
        issuer.start()


@pytest.mark.parametrize("step", [-30, 30, -2, 2])
def test_5_a_step_of_the_clock_leaves_no_gap_between_durable_numbers(issuer, clock, step):
    """However many are on their way."""
    with Raw(issuer.endpoint) as raw:
        calls = []
        for nth in range(400):
            calls.append(raw.call("seq_durable", ("gapless",)))
            if nth % 40 == 20:
                clock.step(step if nth % 80 == 20 else 0)
        assert sorted(raw.next(call, 10).args[0] for call in calls) == list(range(1, 401))
