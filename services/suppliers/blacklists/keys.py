"""The secret that keys the hashes of legal representatives: from the settings, else a file that is made once.

It is kept outside the database, so that a copy of the database alone does not let anybody try numbers through.
"""

import contextlib
import os
import secrets
from pathlib import Path

from services.suppliers.settings import Settings

_BYTES = 32


def representative_key(settings: Settings) -> bytes:
    """The key, the same for every process of the service.

    Raises:
        ValueError: the configured key, or the file, is too short to be one.
    """
    if settings.representative_key is not None:
        key = settings.representative_key.get_secret_value().encode()
    else:
        key = _kept(settings.data_dir / "representative.key")
    if len(key) < _BYTES:
        message = f"The key of legal representatives needs at least {_BYTES} bytes."
        raise ValueError(message)
    return key


def _kept(file: Path) -> bytes:
    """The file's content; made whole or not at all, by whoever comes first."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(secrets.token_bytes(_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return file.read_bytes()
