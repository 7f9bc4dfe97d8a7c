"""Mail by apprise to a server on loopback, and addresses that it does not know."""

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes

import pytest

from agents.notify.apprise_channel import KEY_HEADER, AppriseChannel
from agents.notify.notifier import NotTold
from agents.notify.recipient import Recipient, Url
from agents.notify.wording import NotificationText
from stream.errors import WrongUse

TEXT = NotificationText("restock: 1 new", "New: 1\n\n  TEA-01: low stock, <b> & more", "warning", "2c882d6b")


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        super().__init__(("127.0.0.1", 0), MailSession)


class MailSession(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 loopback\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 fine\r\n")


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_mail_has_title_text_and_key(mail_server: MailServer) -> None:
    port = mail_server.server_address[1]
    address = f"mailto://127.0.0.1:{port}?from=restock@shop.example&to=buyers@shop.example&mode=insecure"
    AppriseChannel(Recipient("buyers", Url(address))).send(TEXT)
    (mail,) = map(message_from_bytes, mail_server.mails)
    assert (mail["To"], mail["Subject"], mail[KEY_HEADER]) == ("buyers@shop.example", TEXT.title, TEXT.key)
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n").strip() == TEXT.text


def test_nobody_there_is_not_told() -> None:
    with MailServer() as gone:
        port = gone.server_address[1]
    with pytest.raises(NotTold, match="does not answer"):
        AppriseChannel(Recipient("buyers", Url(f"json://127.0.0.1:{port}/"))).send(TEXT)


def test_an_address_that_apprise_does_not_know_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="its pigeon:// address is none that apprise knows") as error:
        AppriseChannel(Recipient("buyers", Url("pigeon://canary")))
    assert "canary" not in str(error.value)
