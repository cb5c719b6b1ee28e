"""The stock command line. It names collections.Iterator, which left Python with 3.10; nothing else is changed."""

import collections
import collections.abc
import sys

from zerorpc import cli

collections.Iterator = collections.abc.Iterator
sys.exit(cli.main())
