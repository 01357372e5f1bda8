"""Where a webhook may go: the form of an address, and the networks behind it (trust.md 7, SSRF). Pure.

An address is given by a company and called by us, so it must not reach anything that only we can reach. It is read
strictly: whatever two programs could read in two ways (credentials, odd numbers, other alphabets, backslashes) is
refused, not repaired. Names are resolved by the sender, and every address found is judged here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

URL_LENGTH_MAX = 2000
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""RFC 3986 without blanks, quotes, backslash, caret, backtick, braces, bar and everything beyond ASCII."""
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_OWN_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa", "test")
_OWN_NAMES_WORD = "names of private networks"

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' networks; 100.100.100.200 tells a cloud's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's platform address, though it stands in a public range
        "169.254.0.0/16",  # link-local; 169.254.169.254 tells a cloud's metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, with the broadcast address
        "::/96",  # IPv4-compatible, with :: and ::1
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64: an IPv4 address behind it
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address behind it
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",  # unique local; fd00:ec2::254 tells a cloud's metadata
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The middle of an interface id that carries an IPv4 address (RFC 5214)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why an address is refused: the rule's name and a sentence."""

    rule: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An address taken apart."""

    scheme: str
    host: str
    """In lower case, without brackets."""
    port: int
    path: str
    """With its query."""

    @property
    def literal(self) -> Address | None:
        """The host as an IP address, if it is one."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What an installation allows beyond nothing."""

    ports: frozenset[int] = frozenset({443, 8443})
    open_hosts: frozenset[str] = frozenset()
    """For development: these hosts may be private, on any port, and called without TLS."""
    refused: tuple[Network, ...] = ()
    """Public networks of the installation itself."""

    @classmethod
    def of(cls, *, ports: Iterable[int], open_hosts: Iterable[str], refused: Iterable[str]) -> "Policy":
        """Raises ValueError for what is no network."""
        return cls(
            ports=frozenset(ports),
            open_hosts=frozenset(host.lower() for host in open_hosts),
            refused=tuple(ip_network(network) for network in refused),
        )


def read_url(url: str, policy: Policy) -> Target | Fault:
    """Take an address apart, or say why it is refused before anything is resolved."""
    fault = _unreadable(url)
    if fault is not None:
        return fault
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return Fault(rule="UrlReadable", message="The address cannot be read.")
    if "@" in parts.netloc:
        return Fault(rule="NoCredentials", message="An address carries no user name or password.")
    if "#" in url:
        return Fault(rule="NoFragment", message="An address carries no fragment (#…).")
    if not host or parts.netloc.endswith(":"):
        return Fault(rule="UrlReadable", message="The address names no host.")
    free = host in policy.open_hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and free):
        return Fault(rule="Https", message="Only https addresses are called.")
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if not free and port not in policy.ports:
        allowed = ", ".join(str(each) for each in sorted(policy.ports))
        return Fault(rule="Port", message=f"Port {port} is not called; allowed: {allowed}.")
    target = Target(
        scheme=parts.scheme,
        host=host,
        port=port,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    return (None if free else _host_fault(target, policy)) or target


def _unreadable(url: str) -> Fault | None:
    if len(url) > URL_LENGTH_MAX:
        return Fault(rule="UrlLength", message=f"An address has at most {URL_LENGTH_MAX} characters.")
    if not url.isascii():
        message = "Write other alphabets in their ASCII form: a host as xn--…, a path with %…"
        return Fault(rule="Ascii", message=message)
    if not _PLAIN.fullmatch(url.lower()):
        return Fault(rule="UrlReadable", message="The address contains characters that addresses do not have.")
    if not re.match(r"https?://[^/?#]", url, re.IGNORECASE):
        return Fault(rule="Https", message="An address begins with https://.")
    return None


def _host_fault(target: Target, policy: Policy) -> Fault | None:
    literal = target.literal
    if literal is not None:
        return address_fault(literal, policy)
    labels = target.host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        message = "An IP address is written as four decimal numbers, or in brackets."
        return Fault(rule="PlainAddress", message=message)
    if not all(_LABEL.fullmatch(label) for label in labels) or len(target.host) > 253:
        return Fault(rule="HostName", message=f"{target.host!r} is not a host name.")
    if len(labels) == 1 or any(target.host == name or target.host.endswith(f".{name}") for name in _OWN_NAMES):
        return Fault(rule="PublicHost", message=f"{_OWN_NAMES_WORD.capitalize()} are not called.")
    return None


def address_fault(address: Address, policy: Policy) -> Fault | None:
    """Why an IP address is not called, or None. What carries another address inside is refused whatever it carries."""
    refused = any(
        address in network for network in (*_NOT_PUBLIC, *policy.refused) if network.version == address.version
    )
    if isinstance(address, IPv6Address) and not refused:
        refused = (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP or address.scope_id is not None
    if refused or not address.is_global or address.is_multicast or address.is_reserved:
        return Fault(rule="PublicAddress", message="The host is, or resolves to, an address that is not public.")
    return None


def resolved_fault(target: Target, found: Sequence[str], policy: Policy) -> Fault | None:
    """Why a target is not called at the addresses its name resolved to: one that is not public spoils all."""
    if not found:
        return Fault(rule="HostKnown", message=f"{target.host} has no address.")
    if target.host in policy.open_hosts:
        return None
    for each in found:
        try:
            fault = address_fault(ip_address(each), policy)
        except ValueError:
            fault = Fault(rule="PublicAddress", message="The host resolves to what is no address.")
        if fault is not None:
            return fault
    return None
