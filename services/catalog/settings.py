"""Settings of `catalog`, from the environment (`CATALOG_…`)."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Beside what every service has: how large a file of material codes may be."""

    model_config = SettingsConfigDict(env_prefix="CATALOG_", extra="ignore")

    mapping_limit_bytes: int = Field(default=1024 * 1024 * 1024, ge=1)
    mapping_lease_seconds: float = Field(default=60, gt=0)
    """An import whose worker gave no sign for so long is taken over by another."""
