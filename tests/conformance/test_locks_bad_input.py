"""What the lock service does with what it should not be asked: a named error, nothing changed, others served."""

import pytest

pytestmark = pytest.mark.ours

HUGE = 10**15


@pytest.fixture(scope="module")
def locks(suite):
    """A stock python client, and a lock that somebody else holds."""
    client = suite.python_client(suite.lock)
    client.call("force_release", "taken")
    client.token = client.call("acquire", "taken", "holder", 600000)["token"]
    return client


CASES = {
    "an empty name": ("acquire", [""], "InvalidArgument"),
    "a name of 256 bytes": ("acquire", ["n" * 256], "InvalidArgument"),
    "a name of 128 two-byte letters": ("acquire", ["é" * 128], "InvalidArgument"),
    "a name that is not UTF-8": ("acquire", [b"\xff\xfe"], "ValueError"),
    "a name that is a number": ("acquire", [7], "TypeError"),
    "an empty owner": ("acquire", ["x", ""], "InvalidArgument"),
    "an owner of 129 bytes": ("acquire", ["x", "o" * 129], "InvalidArgument"),
    "a negative lease": ("acquire", ["x", "me", -1], "InvalidArgument"),
    "no lease": ("acquire", ["x", "me", 0], "InvalidArgument"),
    "a lease below the least": ("acquire", ["x", "me", 9], "InvalidArgument"),
    "a huge lease": ("acquire", ["x", "me", HUGE], "InvalidArgument"),
    "a lease beyond 64 bits": ("acquire", ["x", "me", 2**64 - 1], "OverflowError"),
    "a fractional lease": ("acquire", ["x", "me", 10.5], "TypeError"),
    "a negative wait": ("acquire", ["x", "me", 1000, -1], "InvalidArgument"),
    "a huge wait": ("acquire", ["x", "me", 1000, HUGE], "InvalidArgument"),
    "an unknown option": ("acquire", ["x", "me", 1000, 0, {"leaze": 1}], "InvalidArgument"),
    "options that are a list": ("acquire", ["x", "me", 1000, 0, ["mode"]], "TypeError"),
    "an unknown mode": ("acquire", ["x", "me", 1000, 0, {"mode": "w"}], "InvalidArgument"),
    "a request_id that is a list": ("acquire", ["x", "me", 1000, 0, {"request_id": []}], "TypeError"),
    "an empty request_id": ("acquire", ["x", "me", 1000, 0, {"request_id": ""}], "InvalidArgument"),
    "a lock_delay_ms above a minute": ("acquire", ["x", "me", 1000, 0, {"lock_delay_ms": 60001}], "InvalidArgument"),
    "data above a kibibyte": ("acquire", ["x", "me", 1000, 0, {"data": "d" * 1025}], "InvalidArgument"),
    "a session that is none": ("acquire", ["x", "me", 1000, 0, {"bind": "session", "session": "s"}], "SessionLost"),
    "a session without being bound to it": ("acquire", ["x", "me", 1000, 0, {"session": "s"}], "InvalidArgument"),
    "data that is not UTF-8": ("acquire", ["x", "me", 1000, 0, {"data": b"\xff"}], "InvalidArgument"),
    "a request_id without an owner": ("acquire", ["x", None, 1000, 0, {"request_id": "r"}], "InvalidArgument"),
    "a release with another option": ("release", ["free", "me", 1, {"mode": "x"}], "InvalidArgument"),
    "bound to no session": ("acquire", ["x", "me", 1000, 0, {"bind": "session"}], "InvalidArgument"),
    "no names": ("acquire_many", [[]], "InvalidArgument"),
    "65 names": ("acquire_many", [[f"n{i}" for i in range(65)]], "InvalidArgument"),
    "names that are one text": ("acquire_many", ["xyz"], "TypeError"),
    "a list of 65 names, few of them distinct": ("acquire_many", [["x", "y"] * 33], "InvalidArgument"),
    "names of which one is a number": ("acquire_many", [["x", 7]], "TypeError"),
    "names of which one is not UTF-8": ("acquire_many", [["x", b"\xff"]], "ValueError"),
    "a hundred thousand names": ("acquire_many", [["x"] * 100_000], "InvalidArgument"),
    "options that are none": ("acquire", ["x", "me", 1000, 0, {str(i): i for i in range(50_000)}], "InvalidArgument"),
    "an option named by a number": ("acquire", ["x", "me", 1000, 0, {7: 1}], "InvalidArgument"),
    "a renewal of 1001 locks": ("renew", ["me", [["x", 1]] * 1001], "InvalidArgument"),
    "a release of 1001 locks": ("release_many", ["me", [["x", 1]] * 1001], "InvalidArgument"),
    "a renewal of a hundred thousand locks": ("renew", ["me", [["x", 1]] * 100_000], "InvalidArgument"),
    "a request_id of 129 bytes": ("acquire", ["x", "me", 1000, 0, {"request_id": "r" * 129}], "InvalidArgument"),
    "a release with a request_id of 129 bytes":
        ("release", ["taken", "holder", 1, {"request_id": "r" * 129}], "InvalidArgument"),
    "a prefix longer than any name": ("list", ["p" * 256], "InvalidArgument"),
    "a reason above a kibibyte": ("force_release", ["free", "r" * 1025], "InvalidArgument"),
    "no permits": ("sem_acquire", ["x", "me", 1, 0], "InvalidArgument"),
    "more permits than the limit": ("sem_acquire", ["x", "me", 2, 3], "InvalidArgument"),
    "no limit": ("sem_acquire", ["x", "me", 0], "InvalidArgument"),
    "a negative limit": ("sem_acquire", ["x", "me", -1], "OverflowError"),
    "somebody else's release": ("release", ["taken", "me", 1], "NotOwner"),
    "the release of nothing": ("release", ["free", "me", 1], "NotHeld"),
    "somebody else's extension": ("extend", ["taken", "me", 1], "NotOwner"),
    "held that is no list": ("release_many", ["me", "taken"], "TypeError"),
    "held that is no list of pairs": ("renew", ["me", [["taken"]]], "TypeError"),
    "an unknown ticket": ("wait", ["12345"], "NotHeld"),
    "an unknown session": ("session_renew", ["session-1"], "SessionLost"),
    "a session of a millisecond": ("session_open", ["me", 1], "InvalidArgument"),
    "a page of nothing": ("list", ["", 0], "InvalidArgument"),
    "a page of everything": ("list", ["", 1001], "InvalidArgument"),
    "a lock of redlock-py with no ttl": ("lock", ["x", 0], "InvalidArgument"),
    "an unlock of nothing": ("unlock", [False], "TypeError"),
    "a recipe with a negative time": ("acquire_lock", ["x", -1], "InvalidArgument"),
    "too few arguments": ("release", ["taken"], "TypeError"),
    "too many": ("try_acquire", ["x", "me", 1000, 0], "TypeError"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_a_named_error_and_changes_nothing(locks, case):
    method, args, name = CASES[case]
    before = locks.call("stats")
    assert locks.error(method, *args).name == name
    after = locks.call("stats")
    # Locks of other tests may lapse meanwhile.
    assert all(after[key] <= before[key] for key in ("held", "waiting", "names"))
    assert locks.call("check", "taken", locks.token)["valid"]


def test_an_error_does_not_repeat_what_is_longer_than_any_name(locks):
    for method, args in (("wait", ["t" * 100_000]), ("session_renew", ["s" * 100_000]), ("check", ["é" * 50_000, 1]),
                         ("release", ["é" * 50_000, "me", 1]), ("acquire", ["x", "me", 9, 0, {"o" * 100_000: 1}])):
        assert len(locks.error(method, *args).message) < 1000


def test_a_misspelt_option_is_named_with_what_may_be_meant(locks):
    assert "did you mean 'request_id'" in locks.error("acquire", "x", "me", 1000, 0, {"requestid": "r"}).message
    assert "did you mean 'request_id'" in locks.error("release", "x", "me", 1, {"reqest_id": "r"}).message
    assert "request_id, mode, session" in locks.error("acquire", "x", "me", 1000, 0, {"xyzzy": 1}).message


def test_its_own_hold_with_another_token_is_a_stale_token(locks):
    for token in (locks.token - 1, locks.token + 1, 0, -1):
        for method in ("release", "extend"):
            assert locks.error(method, "taken", "holder", token).name == "StaleToken"
    assert locks.call("check", "taken", locks.token)["valid"]
