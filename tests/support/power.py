"""Power that fails: a program runs on a disk that has nothing but what was synced (forgetful_disk.cpp)."""

import shutil
import tempfile
from pathlib import Path

from support.programs import BIN


class ForgetfulDisk:
    """What the disk is sure to have of a folder."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._sure = tempfile.TemporaryDirectory()
        #: For the program that writes to the folder.
        self.environment = {"LD_PRELOAD": str(BIN / "zerosuite_forgetful_disk.so"), "FORGETFUL_FOLDER": str(folder),
                            "FORGETFUL_SURE": self._sure.name, "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def forget(self):
        """To be called when the program was killed; answers how many files had more in them than the disk."""
        sure, lost = Path(self._sure.name), 0
        for path in self._folder.iterdir():
            kept = sure / path.name
            lost += not kept.exists() or kept.read_bytes() != path.read_bytes()
            path.unlink()
        for path in sure.iterdir():
            if path.suffix != ".being-written":
                shutil.copy(path, self._folder)
        return lost
