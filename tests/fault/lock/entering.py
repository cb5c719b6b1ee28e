"""What "a" asks for to enter and to leave a lock, a set of names and a semaphore, and how often it has entered them."""

LONG = 60_000


def lock(token):
    return ("acquire", {"name": "lock", "lease_ms": LONG}), ("release", {"name": "lock", "token": token})


def set_of_names(token):
    names = ["one", "two"]
    return ("acquire_many", {"names": names, "lease_ms": LONG}), ("release_many", {"held": [[n, token] for n in names]})


def semaphore(token):
    return (("sem_acquire", {"name": "permits", "limit": 2, "permits": 2, "lease_ms": LONG}),
            ("sem_release", {"name": "permits", "token": token}))


#: The requests by the token, the name to look at, and how often it is held after each of them.
STORIES = [
    (lock, "lock", [1, 2, 3, 2, 3, 2, 1, 0]),
    (set_of_names, "two", [1, 2, 1, 0]),
    (semaphore, "permits", [1, 0]),
]


def entries(broker, name):
    """How often its holder has entered it; all that a semaphore has counts as one."""
    holders = broker.call("info", name)["holders"]
    assert [holder["owner"] for holder in holders] in ([], ["a"])
    return sum(holder["hold_count"] for holder in holders)
