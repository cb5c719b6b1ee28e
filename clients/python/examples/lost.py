"""A lock that is lost: how the holder is told, and how a resource defends itself with the token."""

import logging
from typing import List

import zerosuite

logging.basicConfig(level=logging.ERROR)
client = zerosuite.Client("tcp://127.0.0.1:4243")


class Register:
    """A resource that trusts tokens, not clients."""

    def __init__(self) -> None:
        self.fence = 0
        self.values: List[str] = []

    def write(self, value: str, fence: int) -> None:
        if fence < self.fence:
            raise PermissionError(f"token {fence} is older than {self.fence}")
        self.fence = fence
        self.values.append(value)


register = Register()
try:
    with zerosuite.Lock(client, "register", lease=1, on_lost=lambda hold: print("lost:", hold.reason)) as hold:
        register.write("first", fence=hold.token)
        client.lock.force_release("register", "the operator knows better")
        hold.lost.wait(10)  # a threading.Event; work in pieces and look at it, or call check()
        with zerosuite.Lock(client, "register") as other:
            register.write("second", fence=other.token)
        try:
            register.write("too late", fence=hold.token)
        except PermissionError as error:
            print(error)
        hold.check()  # raises LockLost, without a call
except zerosuite.LockLost as error:
    print(error)
print(register.values)
client.close()
