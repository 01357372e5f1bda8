"""Settings of `suppliers`, from the environment (`SUPPLIERS_…`)."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings

PAPER_LIMIT_BYTES = 20 * 1024 * 1024
"""The largest file of a paper; a setting may lower it."""


class Settings(ServiceSettings):
    """Beside what every service has: how large a sync and a paper may be, and how onboarding works."""

    model_config = SettingsConfigDict(env_prefix="SUPPLIERS_", extra="ignore")

    sync_limit_bytes: int = Field(default=1024 * 1024 * 1024, ge=1)
    sync_inline_bytes: int = Field(default=1024 * 1024, ge=0)
    """A smaller body is worked off before the answer; a larger one by the worker."""
    sync_chunk_rows: int = Field(default=20_000, ge=1)
    """Rows in one transaction; larger ones hold back the followers of this service's feed."""
    sync_lease_seconds: float = Field(default=60, gt=0)
    """A job whose worker gave no sign for so long is taken over by another."""
    sync_wait_seconds: float = Field(default=600, ge=0)
    """The longest a client with `Prefer: wait` is kept waiting."""
    sync_jobs_at_once: int = Field(default=2, ge=1)
    """Jobs of different suppliers that one worker works on side by side."""

    paper_limit_bytes: int = Field(default=PAPER_LIMIT_BYTES, ge=1, le=PAPER_LIMIT_BYTES)
    supplier_invitation_days: int = Field(default=30, ge=1, le=365)
    identity_key: SecretStr | None = None
    """What numbers of identity documents and accounts, and legal representatives, are hashed with; at least 32 bytes as
    text. None: a key made once and kept in `data_dir`. Set it where the service runs on several machines, and never
    change it."""
