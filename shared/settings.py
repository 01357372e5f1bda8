"""Settings every service has; each service subclasses this with its own prefix (`ORDERS_…`)."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read once, in `app.py` or `worker.py`; everything else receives values."""

    model_config = SettingsConfigDict(extra="ignore")

    database_url: str
    """As role `<service>_app`: row level security applies."""
    system_database_url: str
    """As role `<service>_worker`: followers, jobs and the few routes that belong to no one company."""
    database_pool_size: int = 10

    members_url: str = "http://127.0.0.1:8101"
    catalog_url: str = "http://127.0.0.1:8102"
    suppliers_url: str = "http://127.0.0.1:8103"
    orders_url: str = "http://127.0.0.1:8104"

    client_id: str = ""
    client_secret: str = ""
    """The service's own API client at `members`, for calls to other services."""

    issuer: str = "dougong"
    cors_origins: list[str] = []
    log_level: str = "INFO"
    data_dir: Path = Path(".dougong/files")
    body_limit_bytes: int = 8 * 1024 * 1024
