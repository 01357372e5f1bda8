"""Where a webhook may go: hostile addresses, each refused by the rule it breaks."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.webhooks.addresses import Fault, Policy, Target, address_fault, read_url, resolved_fault

POLICY = Policy()

HOSTILE = [
    ("http://erp.example.com/", "Https"),
    ("ftp://erp.example.com/", "Https"),
    ("file:///etc/passwd", "Https"),
    ("gopher://127.0.0.1:6379/_FLUSHALL", "Https"),
    ("javascript:alert(1)", "Https"),
    ("//erp.example.com/", "Https"),
    ("https:erp.example.com", "Https"),
    ("https:///hook", "Https"),
    ("https://127.0.0.1/", "PublicAddress"),
    ("https://127.8.8.8/", "PublicAddress"),
    ("https://0.0.0.0/", "PublicAddress"),
    ("https://10.0.0.1/", "PublicAddress"),
    ("https://172.16.0.1/", "PublicAddress"),
    ("https://172.31.255.255/", "PublicAddress"),
    ("https://192.168.1.1/", "PublicAddress"),
    ("https://169.254.169.254/latest/meta-data/", "PublicAddress"),
    ("https://100.100.100.200/", "PublicAddress"),
    ("https://168.63.129.16/", "PublicAddress"),
    ("https://198.18.0.1/", "PublicAddress"),
    ("https://224.0.0.1/", "PublicAddress"),
    ("https://240.0.0.1/", "PublicAddress"),
    ("https://255.255.255.255/", "PublicAddress"),
    ("https://192.88.99.1/", "PublicAddress"),
    ("https://[::1]/", "PublicAddress"),
    ("https://[::]/", "PublicAddress"),
    ("https://[::ffff:127.0.0.1]/", "PublicAddress"),
    ("https://[::ffff:8.8.8.8]/", "PublicAddress"),
    ("https://[::127.0.0.1]/", "PublicAddress"),
    ("https://[64:ff9b::7f00:1]/", "PublicAddress"),
    ("https://[64:ff9b:1::a00:1]/", "PublicAddress"),
    ("https://[2002:7f00:1::]/", "PublicAddress"),
    ("https://[2001:0:7f00:1::]/", "PublicAddress"),
    ("https://[fe80::1]/", "PublicAddress"),
    ("https://[fe80::1%25eth0]/", "PublicAddress"),
    ("https://[2606:4700::1%25eth0]/", "PublicAddress"),
    ("https://[fd00:ec2::254]/", "PublicAddress"),
    ("https://[ff02::1]/", "PublicAddress"),
    ("https://[2606:4700::5efe:7f00:1]/", "PublicAddress"),
    ("https://2130706433/", "PlainAddress"),
    ("https://0x7f000001/", "PlainAddress"),
    ("https://017700000001/", "PlainAddress"),
    ("https://127.1/", "PlainAddress"),
    ("https://0177.0.0.1/", "PlainAddress"),
    ("https://0x7f.0.0.1/", "PlainAddress"),
    ("https://127.0.0.0x1/", "PlainAddress"),
    ("https://127.0.0.1./", "HostName"),
    ("https://①②⑦.⓪.⓪.①/", "Ascii"),
    ("https://erp。example。com/", "Ascii"),
    ("https://пример.рф/", "Ascii"),
    ("https://localhost/", "PublicHost"),
    ("https://metadata/", "PublicHost"),
    ("https://metadata.google.internal/", "PublicHost"),
    ("https://printer.local/", "PublicHost"),
    ("https://a.localhost/", "PublicHost"),
    ("https://user:secret@erp.example.com/", "NoCredentials"),
    ("https://erp.example.com@127.0.0.1/", "NoCredentials"),
    ("https://erp.example.com%40127.0.0.1/", "PlainAddress"),
    ("https://127.0.0.1%2f.example.com/", "HostName"),
    ("https://127.0.0.1\\@erp.example.com/", "UrlReadable"),
    ("https://erp.example.com:22/", "Port"),
    ("https://erp.example.com:5432/", "Port"),
    ("https://erp.example.com:99999/", "UrlReadable"),
    ("https://erp.example.com:/", "UrlReadable"),
    ("https://erp.example.com/#x", "NoFragment"),
    ("https://erp .example.com/", "UrlReadable"),
    (" https://erp.example.com/", "UrlReadable"),
    ("https://erp.example.com/\r\nHost: 127.0.0.1", "UrlReadable"),
    ("https://erp.example.com/\x00", "UrlReadable"),
    ("https://-erp.example.com/", "HostName"),
    ("https://erp..example.com/", "HostName"),
    ("https://" + "a" * 64 + ".example.com/", "HostName"),
    ("https://erp.example.com/" + "a" * 2000, "UrlLength"),
    ("", "UrlReadable"),
]


@pytest.mark.parametrize(("url", "rule"), HOSTILE)
def test_a_hostile_address_is_refused_by_name(url: str, rule: str):
    refused = read_url(url, POLICY)
    assert isinstance(refused, Fault), refused
    assert refused.rule == rule


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://erp.example.com", "erp.example.com", 443, "/"),
        ("https://ERP.Example.com:8443/a/b?c=d%20e", "erp.example.com", 8443, "/a/b?c=d%20e"),
        ("https://xn--fiqs8s.example/hook", "xn--fiqs8s.example", 443, "/hook"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111", 443, "/"),
    ],
)
def test_a_public_address_is_taken_apart(url: str, host: str, port: int, path: str):
    target = read_url(url, POLICY)
    assert isinstance(target, Target), target
    assert (target.scheme, target.host, target.port, target.path) == ("https", host, port, path)


def test_one_address_that_is_not_public_spoils_a_name():
    target = read_url("https://erp.example.com/", POLICY)
    assert isinstance(target, Target)
    assert resolved_fault(target, ["8.8.8.8", "2606:4700::1"], POLICY) is None
    for found in (["8.8.8.8", "127.0.0.1"], ["::ffff:10.0.0.1"], ["fe80::1%eth0"], ["nonsense"]):
        fault = resolved_fault(target, found, POLICY)
        assert fault is not None
        assert fault.rule == "PublicAddress"
    unknown = resolved_fault(target, [], POLICY)
    assert unknown is not None
    assert unknown.rule == "HostKnown"


def test_an_installation_may_open_hosts_for_development_and_shut_its_own_networks():
    policy = Policy.of(ports=[443], open_hosts=["LocalHost", "127.0.0.1"], refused=["8.8.8.0/24"])
    target = read_url("http://localhost:9000/x", policy)
    assert isinstance(target, Target)
    assert (target.scheme, target.port) == ("http", 9000)
    assert resolved_fault(target, ["127.0.0.1"], policy) is None
    assert isinstance(read_url("http://127.0.0.2:9000/x", policy), Fault)
    assert address_fault(ip_address("8.8.8.8"), policy) is not None
    assert address_fault(ip_address("8.8.4.4"), policy) is None


@given(st.ip_addresses())
def test_no_address_is_called_that_the_library_does_not_call_global(address):
    if address_fault(address, POLICY) is None:
        assert address.is_global
        for wrong in ("is_private", "is_loopback", "is_link_local", "is_multicast", "is_reserved"):
            assert not getattr(address, wrong), wrong
        assert getattr(address, "ipv4_mapped", None) is None
        assert getattr(address, "sixtofour", None) is None
        assert getattr(address, "teredo", None) is None


@given(st.text(alphabet="a1.:/@#%[]\\x?= ", max_size=40), st.sampled_from(["https://", "http://", ""]))
def test_any_text_is_read_or_refused(text: str, before: str):
    read = read_url(before + text, POLICY)
    if isinstance(read, Target):
        assert read.scheme == "https"
        assert read.port in POLICY.ports
