"""When a hold is renewed and when it is lost, by a clock of the test's."""

import gc

import pytest

from zerosuite import _leases, errors


class Event:
    def __init__(self):
        self.is_set = False

    def set(self):
        self.is_set = True


class Hold(_leases.BaseHold):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.lost = Event()

    def run(self, callbacks):
        self.called(callbacks)


class Rig:
    """Renewals whose calls are answered by hand."""

    def __init__(self, monkeypatch):
        self.now = self.wall = 5000.0
        self.asked = []
        self.woken = 0
        self.renewals = _leases.Renewals(self._ask, self._wake)
        self._tokens = iter(range(1, 1000))
        monkeypatch.setattr(_leases, "boot_time", lambda: self.now)
        monkeypatch.setattr(_leases.time, "time", lambda: self.wall)

    def _ask(self, method, args, timeout, tell):
        self.asked.append((method, args, timeout, tell))

    def _wake(self):
        self.woken += 1

    def hold(self, name="a", owner="me", lease=30.0, renewed_until=_leases.NEVER):
        hold = Hold([name], owner, next(self._tokens), lease, self.now + _leases.lease_left(lease), renewed_until)
        self.renewals.add(hold)
        return hold

    def pass_time(self, seconds):
        self.now += seconds
        self.wall += seconds
        self.renewals.turn()

    def answer(self, lost=(), error=None):
        """Answers the oldest renewal."""
        method, (owner, held, lease_ms), timeout, tell = self.asked.pop(0)
        assert method == "lock.renew"
        gone = {token for token, _ in lost}
        value = {"ok": [name for name, token in held if token not in gone],
                 "lost": [[name, token, dict(lost)[token]] for name, token in held if token in gone]}
        tell(None if error else value, error)
        return owner, held, lease_ms, timeout


@pytest.fixture
def rig(monkeypatch):
    return Rig(monkeypatch)


def test_a_hold_is_renewed_at_a_third_of_its_lease(rig):
    hold = rig.hold()
    rig.pass_time(9.9)
    assert rig.asked == []
    rig.pass_time(0.2)
    rig.now += 1.0
    rig.wall += 1.0
    assert rig.answer()[:3] == ("me", [["a", hold.token]], 30_000)
    assert hold.expires_in == pytest.approx(_leases.lease_left(30.0) - 1.0), "counted from before it was asked"


def test_all_holds_of_an_owner_are_renewed_in_one_call(rig):
    holds = []
    for number in range(20):
        holds.append(rig.hold(f"lock {number}", owner=f"owner {number % 2}"))
        rig.pass_time(0.1)
    rig.pass_time(8.1)
    assert [len(rig.answer()[1]) for _ in range(2)] == [10, 10]
    assert rig.asked == []


def test_a_lease_that_ends_unrenewed_is_lost_whatever_the_network_says(rig):
    hold, told = rig.hold(), []
    hold.on_lost(told.append)
    rig.pass_time(10.1)
    rig.pass_time(_leases.lease_left(30.0) - 10.11)
    assert not hold.lost.is_set and told == []
    rig.pass_time(0.02)
    assert hold.lost.is_set and told == [hold] and hold.expires_in == 0.0
    rig.answer()
    assert hold.lost.is_set, "a late answer does not bring it back"
    with pytest.raises(errors.LockLost, match="lease has ended"):
        hold.check()


def test_check_knows_by_itself_that_the_lease_has_ended(rig):
    hold = rig.hold(lease=1.0)
    hold.check()
    rig.now += 1.0
    with pytest.raises(errors.LockLost):
        hold.check()
    assert hold.lost.is_set


@pytest.mark.parametrize("name", _leases.LOST)
def test_a_definite_answer_ends_the_hold_at_once(rig, name):
    lost, kept = rig.hold("a"), rig.hold("b")
    rig.pass_time(10.1)
    rig.answer(lost=[(lost.token, name)])
    assert lost.lost.is_set and name in lost.reason
    assert not kept.lost.is_set and kept.expires_in > 29.0


def test_a_failed_renewal_is_tried_again_until_the_lease_ends(rig):
    hold, tries = rig.hold(lease=10.0), 0
    rig.pass_time(3.4)
    while not hold.over:
        if rig.asked:
            tries += 1
            rig.answer(error=errors.LostRemote("gone"))
        rig.pass_time(0.05)
    assert 5 < tries < 100
    rig.asked.clear()
    rig.pass_time(10.0)
    assert rig.asked == []


def test_a_success_after_failures_keeps_the_hold(rig):
    hold = rig.hold(lease=10.0)
    rig.pass_time(3.4)
    rig.answer(error=errors.TimeoutExpired("no answer"))
    rig.pass_time(1.1)
    rig.answer()
    assert hold.expires_in == pytest.approx(_leases.lease_left(10.0)) and not hold.over


def test_a_renewal_that_is_answered_after_the_release_changes_nothing(rig):
    hold = rig.hold()
    rig.pass_time(10.1)
    hold.over = True
    rig.renewals.remove(hold)
    rig.answer(lost=[(hold.token, "NotHeld")])
    assert not hold.lost.is_set
    rig.pass_time(60.0)
    assert rig.asked == []


def test_a_hold_that_was_forgotten_is_not_renewed(rig):
    rig.hold()
    gc.collect()
    with pytest.warns(ResourceWarning, match="forgotten without a release"):
        rig.pass_time(10.1)
    assert rig.asked == [] and len(rig.renewals) == 0


def test_max_hold_ends_the_renewal(rig):
    hold = rig.hold(renewed_until=rig.now + 25.0)
    for _ in range(2):
        rig.pass_time(10.1)
        rig.answer()
    rig.pass_time(10.1)
    assert rig.asked == []
    rig.pass_time(30.0)
    assert hold.lost.is_set


def test_the_longest_time_that_the_service_allows_is_not_a_loss_before_the_lease_ends(rig):
    hold = rig.hold()
    rig.pass_time(10.1)
    rig.answer(lost=[(hold.token, "ExtendLimit")])
    assert not hold.lost.is_set and hold.expires_in > 0
    rig.pass_time(30.0)
    assert hold.lost.is_set


def test_after_a_suspend_the_loss_is_known_at_once(rig):
    hold = rig.hold()
    rig.pass_time(3600.0)  # the boot-time clock has gone on
    assert hold.lost.is_set and rig.asked == []


def test_when_the_wall_clock_leaps_ahead_the_broker_is_asked_before_anything_is_believed(rig):
    hold = rig.hold()
    rig.pass_time(0.5)
    rig.wall += 3600.0
    rig.renewals.turn()
    rig.answer(lost=[(hold.token, "LeaseExpired")])
    assert hold.lost.is_set


def test_a_hold_that_is_added_wakes_whoever_looks_later(rig):
    rig.renewals.turn()
    rig.hold(lease=30.0)
    assert rig.woken == 1
    rig.renewals.turn()
    rig.hold(lease=0.3)
    assert rig.woken == 2


def test_a_callback_that_fails_does_not_keep_the_others_from_being_told(rig):
    hold, told = rig.hold(), []
    hold.on_lost(lambda _: 1 / 0)
    hold.on_lost(told.append)
    rig.pass_time(60.0)
    assert told == [hold]
    hold.on_lost(told.append)
    assert told == [hold, hold], "whoever asks too late is told at once"
