"""A mailbox on a real IMAP server (pymap) in this process, over TLS, and people who write to it."""

from __future__ import annotations

import asyncio
import imaplib
import logging
import ssl
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from datong.base.clock import ManualClock
from datong.connectors.mailbox import Mailbox, MailboxSettings
from datong.kit import Context
from datong.kit.budget import Budget

LOGIN, PASSWORD = "service@datong.example", "geheim"


class MailServer:
    """`post` is what the mail server of the company does with what arrives."""

    def __init__(self, folder: Path) -> None:
        self.trust = folder / "authority.pem"
        self._key = folder / "server.pem"
        _certificate(self.trust, self._key)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        logging.getLogger("pymap").setLevel(logging.ERROR)
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        from proxyprotocol.noop import ProxyProtocolNoop
        from proxyprotocol.reader import ProxyProtocolReader
        from pymap.backend.dict import DictBackend
        from pymap.imap import IMAPServer, IMAPService
        from pysasl.hashing import Cleartext

        self._stop = asyncio.Event()
        parser = ArgumentParser()
        parser.add_argument("--passlib-cfg")
        parser.add_argument("--debug", action="store_true")
        DictBackend.add_subparser("dict", parser.add_subparsers())
        IMAPService.add_arguments(parser)
        args = parser.parse_args(["--no-tls", "dict", "--demo-user", LOGIN, "--demo-password", PASSWORD])
        # its own way of keeping passwords takes half a second for each login
        backend, config = await DictBackend.init(args, hash_context=Cleartext())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._key)
        called = ProxyProtocolReader(ProxyProtocolNoop()).get_callback(IMAPServer(backend.login, config))
        server = await asyncio.start_server(called, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    # what happens to the mailbox

    @contextmanager
    def client(self) -> Iterator[imaplib.IMAP4_SSL]:
        trust = ssl.create_default_context(cafile=self.trust)
        with imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=trust, timeout=20) as client:
            client.login(LOGIN, PASSWORD)
            yield client

    def post(self, *mails: bytes | EmailMessage, folder: str = "INBOX") -> None:
        with self.client() as client:
            for mail in mails:
                raw = mail if isinstance(mail, bytes) else mail.as_bytes()
                status, said = client.append(folder, "", "", raw)
                assert status == "OK", said

    def clear(self) -> None:
        """Everything in the inbox is thrown away."""
        with self.client() as client:
            client.select("INBOX")
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()

    def seen(self) -> int:
        with self.client() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, "SEEN")[1][0].split())

    def settings(self, **more: Any) -> dict[str, Any]:
        told = {"host": "127.0.0.1", "port": self.port, "login": LOGIN, "password": PASSWORD, "since": "2026-01-01"}
        return {**told, "trust": str(self.trust), **more}

    def connector(self, **more: Any) -> Mailbox:
        clock = ManualClock()
        settings = MailboxSettings.model_validate(self.settings(**more))
        return Mailbox(settings, Context("desk", clock, Budget(clock)))


def _certificate(public: Path, both: Path) -> None:
    """A certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    public.write_bytes(pem)
    both.write_bytes(secret + pem)


def mail(
    text: str,
    *,
    subject: str = "轴承有异响",
    sender: str = "李娜 <li.na@changjiang.example>",
    key: str = "",
    **headers: str,
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, LOGIN, subject
    made["Date"] = "Sun, 22 Nov 2026 16:00:00 +0800"
    if key:
        made["Message-ID"] = f"<{key}>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made
