"""Processes whose wall clock is not the machine's (Debian's package faketime)."""

from pathlib import Path

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


class FakeWallClock:
    """What a process takes for the time of day; its other clocks are the machine's. A step is seen at its next look."""

    def __init__(self, path):
        self._path = Path(path)
        self.step(0)

    def step(self, seconds):
        """From now on it is so far from the machine's."""
        self._write(f"{seconds:+}")

    def stand_still(self, at):
        """It shows that moment, "2026-11-24 12:00:00", and goes no further."""
        self._write(at)

    def _write(self, text):
        # Renamed, so that nobody reads half of it.
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(text + "\n")
        fresh.rename(self._path)

    @property
    def environment(self):
        assert LIBRARY.exists(), "needs the Debian package faketime"
        # AddressSanitizer wants to be the first library, and works all the same when it is the second.
        return {"LD_PRELOAD": str(LIBRARY), "ASAN_OPTIONS": "verify_asan_link_order=0", "FAKETIME_NO_CACHE": "1",
                "FAKETIME_TIMESTAMP_FILE": str(self._path), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
