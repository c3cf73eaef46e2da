"""The keys of people: one file each, beside the log and never in it.

Whoever destroys a key erases the person, wherever the log was copied to. So a backup of this folder should be kept
apart from backups of the log, and for a shorter time.
"""

import os
from contextlib import suppress
from pathlib import Path

from events.ids import is_id
from events.sealing import KEY_BYTES, new_key

FOLDER_MODE = 0o700
FILE_MODE = 0o600
SUFFIX = ".key"


class Keyring:
    """A folder of keys, ``<person_id>.key``, readable by its owner alone.

    Args:
        folder: made when a first key is created.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, person_id: str) -> bytes | None:
        """The key of a person; None when it was destroyed, or never was on this machine."""
        try:
            key = self._file(person_id).read_bytes()
        except FileNotFoundError:
            return None
        # Destroying overwrites before it unlinks, and a crash between the two leaves a file that is no key.
        return key if len(key) == KEY_BYTES and any(key) else None

    def create(self, person_id: str) -> bytes:
        """Make a key for a person, and have it on disk before returning: what is sealed with a lost key is lost.

        Returns:
            The key; the one that is already there when there is one.
        """
        existing = self.key(person_id)
        if existing is not None:
            return existing
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        key = new_key()
        part = self._file(person_id).with_suffix(f".{os.getpid()}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            # A link fails when another process was faster, where a rename would replace its key.
            with suppress(FileExistsError):
                os.link(part, self._file(person_id))
        finally:
            part.unlink(missing_ok=True)
        self._sync_folder()
        created = self.key(person_id)
        assert created is not None, f"{self._file(person_id)} was destroyed while it was being made"
        return created

    def destroy(self, person_id: str) -> None:
        """Make a key unrecoverable: overwrite it, unlink it, and have both on disk. Twice is the same as once."""
        try:
            descriptor = os.open(self._file(person_id), os.O_WRONLY)
        except FileNotFoundError:
            return
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        self._file(person_id).unlink(missing_ok=True)
        self._sync_folder()

    def _file(self, person_id: str) -> Path:
        if not is_id(person_id):
            raise ValueError(f"{person_id!r} cannot name a person: use 1 to 64 of A-Z a-z 0-9 _ -")
        return self._folder / f"{person_id}{SUFFIX}"

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
