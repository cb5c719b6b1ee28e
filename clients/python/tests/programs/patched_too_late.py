"""gevent patches after the import: that must be said, not hang."""

import sys

import zerosuite
from gevent import monkey

monkey.patch_all()
try:
    zerosuite.Client(sys.argv[1]).add(1, 2)
except RuntimeError as error:
    print(error)
