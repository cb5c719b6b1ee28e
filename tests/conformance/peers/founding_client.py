"""The zerorpc client of the founding document; only the port is an argument."""

import sys

import zerorpc


def zerorpc_client():
    print("zerorpc client")
    c = zerorpc.Client()
    c.connect(sys.argv[1])
    print(c.add(88, 77))


if __name__ == "__main__":
    zerorpc_client()
