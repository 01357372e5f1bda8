"""Settings of `members`, from the environment (`MEMBERS_…`)."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.members.people.rules import AttemptLimit
from services.members.webhooks.addresses import Policy
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Beside what every service has: how long tokens live, how many wrong passwords are let pass,
    and where webhooks may go."""

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

    webhook_ports: list[int] = Field(default_factory=lambda: [443, 8443])
    """The ports at which webhooks are delivered."""
    webhook_http_hosts: list[str] = Field(default_factory=list)
    """For development: hosts that may be private, on any port, and called without TLS. Never in production."""
    webhook_refused_networks: list[str] = Field(default_factory=list)
    """Public networks of the installation itself that no webhook may reach (CIDR)."""
    webhook_deliveries_at_once: int = Field(default=16, ge=1, le=200)
    webhook_deliveries_per_endpoint: int = Field(default=4, ge=1, le=50)
    webhook_failing_days: int = Field(default=5, ge=1)
    """An endpoint that took nothing for so long is disabled."""
    webhook_kept_days: int = Field(default=30, ge=1)
    """Deliveries and their log are kept so long, and can be replayed."""

    @property
    def webhook_policy(self) -> Policy:
        return Policy.of(
            ports=self.webhook_ports, open_hosts=self.webhook_http_hosts, refused=self.webhook_refused_networks
        )

    @property
    def account_limit(self) -> AttemptLimit:
        return AttemptLimit(most=self.attempts_per_account, window=timedelta(seconds=self.attempt_window_seconds))

    @property
    def network_limit(self) -> AttemptLimit:
        return AttemptLimit(most=self.attempts_per_network, window=timedelta(seconds=self.attempt_window_seconds))

    @property
    def registration_limit(self) -> AttemptLimit:
        return AttemptLimit(most=self.registrations_per_network, window=timedelta(seconds=self.attempt_window_seconds))
