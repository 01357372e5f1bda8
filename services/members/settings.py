"""Settings of `members`, from the environment (`MEMBERS_…`)."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.members.people.rules import AttemptLimit
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Beside what every service has: how long tokens live and how many wrong passwords are let pass."""

    model_config = SettingsConfigDict(env_prefix="MEMBERS_", extra="ignore")

    access_token_seconds: int = Field(default=600, ge=60, le=3600)
    refresh_token_days: int = Field(default=7, ge=1)
    """A refresh token not used for so long is over."""
    session_days: int = Field(default=30, ge=1)
    """After so long a person signs in again, however often the session was refreshed."""
    invitation_days: int = Field(default=7, ge=1)
    signing_key_days: int = Field(default=30, ge=1)

    attempts_per_account: int = Field(default=10, ge=1)
    attempts_per_network: int = Field(default=100, ge=1)
    registrations_per_network: int = Field(default=20, ge=1)
    """Attempts of companies to register themselves, in the same window."""
    attempt_window_seconds: int = Field(default=900, ge=1)
    trusted_proxies: int = Field(default=0, ge=0)
    """How many proxies of ours stand in front and append to X-Forwarded-For."""
    password_checks_at_once: int = Field(default=2, ge=1)
    """Each takes 19 MiB and one core for about 40 ms; more wait their turn."""

    @property
    def account_limit(self) -> AttemptLimit:
        return AttemptLimit(most=self.attempts_per_account, window=timedelta(seconds=self.attempt_window_seconds))

    @property
    def network_limit(self) -> AttemptLimit:
        return AttemptLimit(most=self.attempts_per_network, window=timedelta(seconds=self.attempt_window_seconds))

    @property
    def registration_limit(self) -> AttemptLimit:
        return AttemptLimit(most=self.registrations_per_network, window=timedelta(seconds=self.attempt_window_seconds))
