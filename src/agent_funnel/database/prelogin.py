"""Why a SQL Server does not let us log in, as far as one can see from outside.

FreeTDS has one number, or none, for an unknown host, a server without encryption and a bad certificate. So this looks
for itself, after a login has failed, and only to find the words for it.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from io import BufferedRWPair
from pathlib import Path

# How long each step may take, on top of the login that has failed already:
SECONDS = 5.0
# MS-TDS 2.2.6.5: the kinds of message, and what a PRELOGIN has: a version, and that we want encryption.
ANSWER, PRELOGIN = 0x04, 0x12
OPTIONS = struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 255) + bytes(6) + b"\x01"
ENCRYPTION, NO_ENCRYPTION = 1, 2

Ask = Callable[[bytes], bytes]


class _Stranger(Exception):
    """What answers is no SQL Server."""


def what_is_wrong(host: str, port: int, *, encryption: str, ca_file: Path | None) -> str:
    """A sentence on a server that a login has just failed on, and what to do about it. Raises nothing."""
    address = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as server, server.makefile("rwb") as stream:
            if _offers_encryption(lambda content: _asked(stream, content)):
                _shake_hands(lambda content: _asked(stream, content), host, ca_file)
            elif encryption == "require":
                or_else = "" if ca_file else ", or, in a closed network only, set FUNNEL_ENCRYPTION=off"
                return f"{address} offers no encryption, which is required: set a certificate up on it{or_else}."
    except (socket.gaierror, UnicodeError):
        return f"The host name {host!r} is not known here: check it in FUNNEL_DATABASE_URL."
    except ConnectionRefusedError:
        return (
            f"The database server {address} cannot be reached, since nobody listens on that port: see that it runs and "
            "takes TCP/IP connections, and check the port in FUNNEL_DATABASE_URL."
        )
    except TimeoutError:
        return no_answer(address)
    except ssl.SSLCertVerificationError as error:
        return (
            f"{address} does not prove that it is the right server ({error.verify_message.rstrip('.')}): check "
            "FUNNEL_CA_FILE, and that the host in FUNNEL_DATABASE_URL is named as in the server's certificate."
        )
    except ssl.SSLError as error:
        return f"{address} has no encryption that is safe enough ({error.reason}): it must be able to do TLS 1.2."
    except _Stranger:
        return f"What listens at {address} is no SQL Server: check host and port in FUNNEL_DATABASE_URL."
    except (EOFError, ConnectionError):
        return f"{address} closes the connection before any login: see that it is a SQL Server, and what its log says."
    except OSError as error:
        return f"The database server {address} cannot be reached ({error.strerror}): check the network on the way."
    return f"{address} broke the login off: see what the server's log says, and try again."


def no_answer(address: str) -> str:
    """The sentence on a server that says nothing."""
    return (
        f"The database server {address} does not answer: see that it is a SQL Server and is well, and that no "
        "firewall is in between."
    )


def _offers_encryption(ask: Ask) -> bool:
    answer = ask(OPTIONS)
    for place in range(0, len(answer) - 5, 5):
        if answer[place] == ENCRYPTION:
            value = struct.unpack_from(">H", answer, place + 1)[0]
            return answer[value : value + 1] != bytes([NO_ENCRYPTION])
    raise _Stranger


def _shake_hands(ask: Ask, host: str, ca_file: Path | None) -> None:
    """Goes as far as the certificate; what TLS says travels in messages of the kind PRELOGIN."""
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            return tls.do_handshake()
        except ssl.SSLWantReadError:
            incoming.write(ask(outgoing.read()))


def _asked(stream: BufferedRWPair, content: bytes) -> bytes:
    """Sends a message; the content of the one that comes back, put together from its packets."""
    stream.write(struct.pack(">BBHHBB", PRELOGIN, 1, len(content) + 8, 0, 1, 0) + content)
    stream.flush()
    answer, last = b"", False
    while not last:
        header = stream.read(8)
        if len(header) < 8:
            raise EOFError
        kind, last, length = struct.unpack(">B?Hxxxx", header)
        if kind not in (ANSWER, PRELOGIN):
            raise _Stranger
        answer += stream.read(length - 8)
    return answer
