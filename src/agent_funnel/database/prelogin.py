"""Finds out why a login to SQL Server failed, and says so in a sentence.

FreeTDS has one error number, or none, for an unknown host, a server without encryption and a bad certificate. So after
a failed login, this module connects to the server once more and goes through the first steps of a login. It does that
only to explain the failure.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import Callable
from io import BufferedRWPair
from pathlib import Path

# The seconds that each step may take, in addition to the login that has failed already:
STEP_TIMEOUT = 5.0
# The UDP port of the SQL Server Browser, which knows the ports of the instances of its machine:
BROWSER_PORT = 1434
# MS-TDS 2.2.6.5. The types of message, and the content of a PRELOGIN: a version, and a request for encryption.
ANSWER, PRELOGIN = 0x04, 0x12
PRELOGIN_OPTIONS = struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 255) + bytes(6) + b"\x01"
# The option of the answer that says whether the server encrypts, and the value if it cannot:
ENCRYPTION_OPTION, ENCRYPTION_NOT_SUPPORTED = 1, 2

# Sends a PRELOGIN message and returns the content of the answer:
Exchange = Callable[[bytes], bytes]


class _NotSQLServer(Exception):
    """The program at this address is not a SQL Server."""


class _NoBrowser(Exception):
    """The SQL Server Browser of a host did not name the port of an instance."""


def explain_login_failure(
    host: str, port: int | None, *, encryption: str, ca_file: Path | None, instance: str | None = None
) -> str:
    """Says in a sentence why a login has just failed, and what to do about it. Raises nothing."""
    address = f"{host}:{port}"
    try:
        if port is None:
            port = _port_of_instance(host, instance or "")
            address = f"{host}\\{instance}, port {port},"
        with socket.create_connection((host, port), timeout=STEP_TIMEOUT) as server, server.makefile("rwb") as stream:
            if _offers_encryption(lambda content: _exchange(stream, content)):
                _handshake(lambda content: _exchange(stream, content), host, ca_file)
            elif encryption == "require":
                alternative = "" if ca_file else ", or, in a closed network only, set FUNNEL_ENCRYPTION=off"
                return f"{address} offers no encryption, which is required: set up a certificate on it{alternative}."
    except (socket.gaierror, UnicodeError):
        return f"The host name {host!r} is not known: check it in FUNNEL_DATABASE_URL."
    except _NoBrowser:
        return (
            f"{host} does not say which port its instance {instance} has: check the name of the instance, start the "
            "service SQL Server Browser there, let UDP port 1434 through, and let the instance accept TCP/IP "
            "connections; or write host:port in FUNNEL_DATABASE_URL instead of the instance."
        )
    except ConnectionRefusedError:
        return (
            f"The database server {address} cannot be reached, because nothing listens on that port: check that the "
            "server runs and accepts TCP/IP connections, and check the port in FUNNEL_DATABASE_URL."
        )
    except TimeoutError:
        return explain_no_answer(address)
    except ssl.SSLCertVerificationError as error:
        return (
            f"The certificate of {address} does not prove that it is the right server "
            f"({error.verify_message.rstrip('.')}): check FUNNEL_CA_FILE, and check that the host in "
            "FUNNEL_DATABASE_URL is written as in the server's certificate."
        )
    except ssl.SSLError as error:
        return f"{address} offers no encryption that is safe enough ({error.reason}): it must support TLS 1.2."
    except _NotSQLServer:
        return f"The program at {address} is not a SQL Server: check host and port in FUNNEL_DATABASE_URL."
    except (EOFError, ConnectionError):
        return (
            f"{address} closes the connection before any login: check that it is a SQL Server, and read the server's "
            "log."
        )
    except OSError as error:
        return f"The database server {address} cannot be reached ({error.strerror}): check the network in between."
    return f"{address} broke off the login: read the server's log, and try again."


def explain_no_answer(address: str) -> str:
    """Says in a sentence that a server does not answer, and what to do about it."""
    return (
        f"The database server {address} does not answer: check that it is a SQL Server and works, and that no "
        "firewall is in between."
    )


def _port_of_instance(host: str, instance: str) -> int:
    """Asks the SQL Server Browser of a host for the TCP port of an instance (MC-SQLR 2.2.3)."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, BROWSER_PORT, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as browser:
        browser.settimeout(STEP_TIMEOUT)
        try:
            browser.connect(address)
            browser.send(b"\x04" + instance.encode() + b"\0")
            answer = browser.recv(65_535)
        except OSError:
            raise _NoBrowser from None
    found = re.search(rb";tcp;(\d+);", answer)
    if found is None:
        raise _NoBrowser
    return int(found[1])


def _offers_encryption(exchange: Exchange) -> bool:
    answer = exchange(PRELOGIN_OPTIONS)
    # Each option has five bytes: its type, and where in the answer its value is.
    for start in range(0, len(answer) - 5, 5):
        if answer[start] == ENCRYPTION_OPTION:
            value = struct.unpack_from(">H", answer, start + 1)[0]
            return answer[value : value + 1] != bytes([ENCRYPTION_NOT_SUPPORTED])
    raise _NotSQLServer


def _handshake(exchange: Exchange, host: str, ca_file: Path | None) -> None:
    """Makes the TLS handshake, with the check of the certificate. Its data travels in PRELOGIN messages."""
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            return tls.do_handshake()
        except ssl.SSLWantReadError:
            incoming.write(exchange(outgoing.read()))


def _exchange(stream: BufferedRWPair, content: bytes) -> bytes:
    """Sends a PRELOGIN message; returns the content of the answer, joined from its packets."""
    stream.write(struct.pack(">BBHHBB", PRELOGIN, 1, len(content) + 8, 0, 1, 0) + content)
    stream.flush()
    answer, last = b"", False
    while not last:
        header = stream.read(8)
        if len(header) < 8:
            raise EOFError
        kind, last, length = struct.unpack(">B?Hxxxx", header)
        if kind not in (ANSWER, PRELOGIN):
            raise _NotSQLServer
        answer += stream.read(length - 8)
    return answer
