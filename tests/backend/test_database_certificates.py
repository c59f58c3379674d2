"""Encryption of the connection to the server, and which certificates are accepted.

The server is a small fake, with a certificate authority of its own.
"""

from __future__ import annotations

import os
import shutil
import ssl
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from agent_funnel.database import connect
from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.errors import DatabaseUnavailable, SettingsError
from agent_funnel.settings import load
from support.databases import connect_to
from support.faketds import FakeServer
from support.refusals import assert_one_sentence, refusal_of, server_url

pytestmark = pytest.mark.usefixtures("short_login_timeout")


def certificate(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """The TLS context of a server with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # SQL Server has no newer version of TLS with TDS up to 7.4.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    # FreeTDS itself could not read a file with such a name.
    path = tmp_path / "our  authority; # 1" / "ca.pem"
    path.parent.mkdir()
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has only one loopback address")
def test_only_a_server_on_another_machine_must_encrypt(authority: trustme.CA) -> None:
    with FakeServer() as here:
        connect_to(here.url()).one("ping")
    assert [login.encrypted for login in here.logins] == [False]

    # Another address of this machine, but not one of its usual names:
    with FakeServer(host="127.0.0.2") as elsewhere:
        assert "offers no encryption" in refusal_of(connect_to(elsewhere.url()))
        assert elsewhere.logins == []
        connect_to(elsewhere.url(), encryption="off").one("ping")
    assert [login.encrypted for login in elsewhere.logins] == [False]

    # Without a CA file the connection is encrypted, but any server is accepted.
    with FakeServer(host="127.0.0.2", tls=certificate(authority, "elsewhere.example")) as elsewhere:
        connect_to(elsewhere.url()).one("ping")
        # A server that insists on encryption gets it, whatever our setting is.
        connect_to(elsewhere.url(), encryption="off").one("ping")
    assert [login.encrypted for login in elsewhere.logins] == [True, True]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_certificate_of_our_authority_for_the_servers_name_is_accepted(
    host: str, authority: trustme.CA, ca_file: Path
) -> None:
    address = "::1" if host == "::1" else "127.0.0.1"
    try:
        with FakeServer(host=address):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    with FakeServer(host=address, tls=certificate(authority, host)) as server:
        connect_to(server.url(host=host), ca_file=ca_file).one("ping")
    assert [login.encrypted for login in server.logins] == [True]


@pytest.mark.parametrize(
    ("theirs", "name", "expected"),
    [
        (True, "127.0.0.1", "local issuer certificate"),
        (False, "elsewhere.example", "not valid for '127.0.0.1'"),
        (False, None, "offers no encryption"),
    ],
    ids=["another authority", "another name", "no certificate"],
)
def test_a_server_that_does_not_prove_its_identity_gets_no_password(
    theirs: bool, name: str | None, expected: str, authority: trustme.CA, ca_file: Path
) -> None:
    issuer = trustme.CA() if theirs else authority
    with FakeServer(tls=certificate(issuer, name) if name else None) as server:
        message = refusal_of(connect_to(server.url(), ca_file=ca_file))
    assert expected in message
    assert ("FUNNEL_CA_FILE" in message) == (name is not None)
    assert server.logins == []


def test_existing_freetds_settings_do_not_weaken_the_check(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = trustme.CA()
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ours.pem"))
    home = tmp_path / "home"
    for variable in ("FREETDS", "HOME"):
        monkeypatch.setenv(variable, str(home))

    def write(name: str) -> None:
        for file in ("freetds.conf", "etc/freetds.conf", ".freetds.conf", ".config/freetds.conf"):
            (home / file).parent.mkdir(exist_ok=True, parents=True)
            (home / file).write_text(
                f"[global]\nca file = {tmp_path / name}\ncheck certificate hostname = no\n", "utf-8"
            )

    with FakeServer(tls=certificate(other, "elsewhere.example")) as server:
        # FreeTDS reads them: if they name our authority alone, the other authority's server is refused.
        write("ours.pem")
        refusal_of(connect_to(server.url(), encryption="require"))
        assert server.logins == []
        # If they name the other authority, its server is accepted, but not if we set a CA file.
        write("other.pem")
        connect_to(server.url(), encryption="require").one("ping")
        assert len(server.logins) == 1
        assert "does not prove" in refusal_of(connect_to(server.url(), ca_file=ca_file))
        assert len(server.logins) == 1


def test_the_check_still_works_after_the_temporary_files_were_deleted(authority: trustme.CA, ca_file: Path) -> None:
    with FakeServer(tls=certificate(authority, "elsewhere.example")) as server:
        backend = connect_to(server.url(), ca_file=ca_file)
        assert "does not prove" in refusal_of(backend)
        shutil.rmtree(Path(os.environ["FREETDSCONF"]).parent)
        assert "does not prove" in refusal_of(backend)
    assert server.logins == []


def test_a_ca_file_is_refused_if_temporary_files_cannot_be_written(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(ca_file.parent / "gone"))
    with pytest.raises(DatabaseUnavailable, match="FUNNEL_CA_FILE") as refusal:
        connect_to(server_url(1433), ca_file=ca_file)
    assert_one_sentence(str(refusal.value))


def test_settings_that_contradict_each_other_are_refused(ca_file: Path) -> None:
    for encryption in ("request", "off"):
        with pytest.raises(SettingsError, match=f"FUNNEL_CA_FILE .* FUNNEL_ENCRYPTION cannot be {encryption}"):
            connect_to(server_url(1433), ca_file=ca_file, encryption=encryption)
    connect_to(server_url(1433), ca_file=ca_file, encryption="require")
    second = timedelta(seconds=1)
    with pytest.raises(SettingsError, match=r"FUNNEL_CALL_TIMEOUT.* FUNNEL_LOCK_WAIT"):
        connect_to(server_url(1433), lock_wait=second, call_timeout=second)
    connect_to(server_url(1433), lock_wait=second, call_timeout=2 * second)


def test_the_settings_reach_the_backend(ca_file: Path) -> None:
    backend = connect(load(database_url=server_url(1433), ca_file=ca_file, lock_wait="7s", call_timeout="8s"))
    assert isinstance(backend, SQLServer)
    assert backend.ca_file == ca_file
    assert (backend._lock_wait, backend._call_seconds, backend.encryption) == (timedelta(seconds=7), 8, "require")
    assert connect_to("sqlite:///x.db").ca_file is None
