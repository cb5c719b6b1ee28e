"""A holder that updates a register under a lock, in a process of its own, so that it can be stopped in between.

usage: writer.py ENDPOINT REGISTER VALUE LEASE_MS; for each line that it reads it goes one step on
"""

import json
import sys

import zerorpc

from register import Register


def main():
    endpoint, path, value, lease_ms = sys.argv[1:]
    register = Register(path)
    client = zerorpc.Client()
    client.connect(endpoint)
    grant = client.acquire("register", value, int(lease_ms), 20_000)
    plain, guarded = register.read(), register.read_guarded(grant["token"])
    say(token=grant["token"])
    sys.stdin.readline()
    register.write([*plain, value])
    accepted = guarded is not None and register.write_guarded([*guarded, value], grant["token"])
    say(accepted=accepted)
    sys.stdin.readline()
    try:
        client.release("register", value, grant["token"])
        say(released=True)
    except zerorpc.RemoteError as error:
        say(released=error.name)


def say(**what):
    print(json.dumps(what), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
