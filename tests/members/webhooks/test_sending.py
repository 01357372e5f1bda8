"""One attempt over real connections: what is signed, what is refused, what is cut off, and where it connects to."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext, create_default_context

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from services.members.webhooks.addresses import Policy
from services.members.webhooks.outbox import Claimed
from services.members.webhooks.sending import ANSWER_BYTES, Sender, signed_headers
from shared.ids import new_id
from tests.members.webhooks.conftest import OPEN, Heard, Receiver, answer

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3"
OLD_SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5"


def a_claim(url: str, **more) -> Claimed:
    values = {
        "lease": new_id(),
        "company_id": new_id(),
        "id": new_id(),
        "endpoint_id": new_id(),
        "number": 1,
        "tries": 1,
        "url": url,
        "secrets": (SECRET,),
        "type": "order.placed",
        "subject_id": str(new_id()),
        "path": "/orders/purchase-orders/x",
        "told": {},
        "occurred_at": datetime(2026, 11, 25, 8, 0, tzinfo=UTC),
    }
    return Claimed(**{**values, **more})


def now() -> datetime:
    return datetime.now(UTC)


async def test_the_library_verifies_what_arrives(receiver: Receiver):
    claimed = a_claim(receiver.url)
    outcome = await Sender(policy=OPEN).send(claimed, at=now())
    assert (outcome.http_status, outcome.fault) == (204, None)
    [heard] = receiver.heard
    message = Webhook(SECRET).verify(heard.body, heard.headers)
    assert message == {
        "id": heard.headers["webhook-id"],
        "type": "order.placed",
        "timestamp": "2026-11-25T08:00:00+00:00",
        "data": {
            "subject_id": claimed.subject_id,
            "path": claimed.path,
            "company_id": str(claimed.company_id),
        },
    }
    assert heard.path == "/hook"
    assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"


async def test_tampered_old_and_foreign_messages_are_not_verified(receiver: Receiver):
    await Sender(policy=OPEN).send(a_claim(receiver.url), at=now())
    [heard] = receiver.heard
    for body, headers, secret in (
        (heard.body.replace(b"order.placed", b"order.chased"), heard.headers, SECRET),
        (heard.body, {**heard.headers, "webhook-id": str(new_id())}, SECRET),
        (heard.body, {**heard.headers, "webhook-timestamp": "1700000000"}, SECRET),
        (heard.body, heard.headers, OLD_SECRET),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_while_a_secret_is_changed_over_each_verifies():
    claimed = a_claim("https://erp.example.com/", secrets=(SECRET, OLD_SECRET))
    headers = signed_headers(claimed, b"{}", at=now())
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OLD_SECRET):
        Webhook(secret).verify(b"{}", headers)


async def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver):
    receiver.reply = answer(302, b"", f"Location: http://127.0.0.1:{receiver.port}/inside")
    outcome = await Sender(policy=OPEN).send(a_claim(receiver.url), at=now())
    assert (outcome.http_status, outcome.fault) == (302, "Answered 302; redirects are not followed.")
    assert [heard.path for heard in receiver.heard] == ["/hook"]


async def test_a_huge_answer_is_read_no_further_than_the_log_keeps(receiver: Receiver):
    written = 0

    async def pour(_: Heard, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _part in range(100_000):
            writer.write(b"x" * 10_000)
            await writer.drain()
            written += 10_000

    receiver.reply = pour
    outcome = await Sender(policy=OPEN).send(a_claim(receiver.url), at=now())
    assert (outcome.http_status, outcome.answer) == (200, "x" * ANSWER_BYTES)
    await asyncio.sleep(0.05)
    assert written < 50_000_000


@pytest.mark.parametrize("where", ["before the status", "within the body"])
async def test_a_slow_answer_is_cut_off(receiver: Receiver, where: str):
    async def drip(_: Heard, writer: asyncio.StreamWriter) -> None:
        if where == "within the body":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _part in range(200):
            writer.write(b"x" if where == "within the body" else b"")
            await writer.drain()
            await asyncio.sleep(0.05)

    receiver.reply = drip
    outcome = await Sender(policy=OPEN, attempt_seconds=0.3).send(a_claim(receiver.url), at=now())
    assert (outcome.http_status, outcome.fault) == (None, "No complete answer within 0.3 s.")
    assert 250 <= outcome.ms < 3000


@pytest.mark.parametrize("reply", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"])
async def test_what_is_no_answer_is_an_outcome(receiver: Receiver, reply: bytes):
    receiver.reply = reply
    outcome = await Sender(policy=OPEN).send(a_claim(receiver.url), at=now())
    assert outcome.http_status is None
    assert (outcome.fault or "").startswith("No answer: ")


async def test_binary_answers_are_kept_as_text_that_can_be_stored(receiver: Receiver):
    receiver.reply = answer(500, b"\x00\xff\xfe ok")
    outcome = await Sender(policy=OPEN).send(a_claim(receiver.url), at=now())
    assert "\x00" not in (outcome.answer or "")
    assert (outcome.answer or "").endswith(" ok")


async def test_a_name_that_turns_to_this_machine_reaches_nothing(receiver: Receiver):
    """Rebinding: the name is public when it is registered and 127.0.0.1 when it is sent to."""
    answers = [["93.184.215.14"], ["127.0.0.1"], ["93.184.215.14", "127.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    url = f"https://erp.example.com:{receiver.port}/hook"
    sender = Sender(policy=Policy(ports=frozenset({receiver.port})), resolve=rebinding)
    assert (await sender.check(url)).addresses == ["93.184.215.14"]
    for _ in range(2):
        outcome = await sender.send(a_claim(url), at=now())
        assert (outcome.fault or "").startswith("PublicAddress: ")
    assert receiver.heard == []


async def test_the_connection_goes_to_the_address_that_was_judged(receiver: Receiver):
    """The name is resolved once; a second look-up, which would answer otherwise, is never made."""
    asked: list[str] = []

    async def once_only(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        assert len(asked) == 1
        return ["127.0.0.1"]

    url = f"http://receiver.example:{receiver.port}/hook?a=b"
    outcome = await Sender(policy=OPEN, resolve=once_only).send(a_claim(url), at=now())
    assert outcome.http_status == 204
    [heard] = receiver.heard
    assert (heard.headers["host"], heard.path) == (f"receiver.example:{receiver.port}", "/hook?a=b")
    assert asked == ["receiver.example"]


async def test_another_judged_address_is_tried_when_one_does_not_connect(receiver: Receiver):
    async def both(host: str, port: int) -> Sequence[str]:
        return ["::1", "127.0.0.1"]

    url = f"http://receiver.example:{receiver.port}/hook"
    outcome = await Sender(policy=OPEN, resolve=both).send(a_claim(url), at=now())
    assert outcome.http_status == 204


def a_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for one host name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.mark.parametrize(("name", "arrives"), [("receiver.example", True), ("other.example", False)])
async def test_tls_proves_the_name_though_the_connection_goes_to_an_address(
    tmp_path: Path, name: str, *, arrives: bool
):
    certificate, key = a_certificate(tmp_path, name)
    serving = SSLContext(PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=serving)
    port = server.sockets[0].getsockname()[1]

    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    sender = Sender(policy=OPEN, resolve=here, tls=create_default_context(cafile=str(certificate)))
    outcome = await sender.send(a_claim(f"https://receiver.example:{port}/hook"), at=now())
    assert (outcome.http_status, len(receiver.heard)) == ((204, 1) if arrives else (None, 0)), outcome
    server.close()


async def test_no_cookie_of_one_attempt_comes_with_the_next(receiver: Receiver):
    receiver.reply = answer(200, b"", "Set-Cookie: session=1; Path=/")
    sender = Sender(policy=OPEN)
    for _ in range(2):
        await sender.send(a_claim(receiver.url), at=now())
    assert [heard.headers.get("cookie") for heard in receiver.heard] == [None, None]
