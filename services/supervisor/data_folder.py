"""The data folder, looked at before anything is started: it can be made, and this user may write in it."""

import os
from pathlib import Path

from events import RecountError
from services.running import LOCK_NAME
from services.secrets import FOLDER_MODE

# Warehouse, logs and streams tell about people: what a process makes is for its owner only, files 0600, folders 0700.
PRIVATE_UMASK = 0o077

HINT = "Choose another with --data DIR, or give this user the right to write there."


def prepare_folder(data: Path) -> None:
    """Make the data folder when there is none, for its owner only.

    Raises:
        RecountError: it is a file, or cannot be made or written by this user.
    """
    try:
        data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise RecountError(f"the data folder {data} is a file", hint="Choose a folder with --data DIR.") from error
    except OSError as error:
        raise RecountError(f"the data folder {data} cannot be made: {error.strerror or error}", hint=HINT) from error
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise RecountError(f"the data folder {data} is not writable by this user", hint=HINT)
    lock = data / LOCK_NAME
    # A start as another user, such as root, leaves files behind that this one cannot use.
    if lock.exists() and not os.access(lock, os.R_OK | os.W_OK):
        raise RecountError(f"{lock} is not writable by this user", hint=HINT)
