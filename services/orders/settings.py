"""Settings of `orders`, from the environment (`ORDERS_…`)."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Beside what every service has: how placing talks to its neighbours."""

    model_config = SettingsConfigDict(env_prefix="ORDERS_", extra="ignore")

    reserve_timeout_seconds: float = Field(default=10, gt=0)
    """After this the outcome of a reservation is unknown, and the buyer is asked to repeat."""
    reservation_seconds: int = Field(default=600, ge=30, le=3600)
    company_cache_seconds: float = Field(default=60, ge=0)
    """How long a buyer's name and tax id are taken from memory; orders copy them when placed."""
    baskets_at_once: int = Field(default=32, ge=1, le=200)
    """How many baskets one group commit may carry."""
