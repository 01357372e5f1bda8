"""Settings of `catalog`, from the environment (`CATALOG_…`)."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What every service has, and nothing more."""

    model_config = SettingsConfigDict(env_prefix="CATALOG_", extra="ignore")
