"""Makes FreeTDS check the server's certificate. pymssql has no argument for that."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_funnel.errors import DatabaseUnavailable


class Certificates:
    """The certificate authorities that we trust, read from a file once, at the start.

    FreeTDS finds them through a configuration file that FREETDSCONF names, so the check applies to the whole process.
    FreeTDS reads that file at each login; if the file is missing, it connects without any check.
    """

    def __init__(self, ca_file: Path, host: str, port: int) -> None:
        try:
            # Only this user can write there. It is removed with this object, or at the end of the process.
            self._directory = TemporaryDirectory(prefix="agent-funnel-")
            self._files = {
                # A copy at a short path: a line of the configuration holds 255 characters, and ends at a # or a ;.
                "ca.pem": ca_file.read_bytes(),
                # A section for this very server: without one, FreeTDS also reads the user's own files, which win.
                "freetds.conf": (
                    f"[global]\nca file = {Path(self._directory.name) / 'ca.pem'}\ncheck certificate hostname = yes\n"
                    f"[{host}:{port}]\nhost = {host}\nport = {port}\n"
                ).encode(),
            }
        except OSError as error:
            raise _unusable(error) from error

    def enforce(self) -> None:
        """Makes the next login check the server's certificate. Call it before each login."""
        directory = Path(self._directory.name)
        try:
            # A job that clears temporary files may have removed these.
            directory.mkdir(mode=0o700, exist_ok=True)
            for name, content in self._files.items():
                if not (directory / name).exists():
                    # Written in one step: another thread that read half a configuration would connect without a check.
                    with TemporaryDirectory(dir=directory) as aside:
                        (Path(aside) / name).write_bytes(content)
                        (Path(aside) / name).replace(directory / name)
        except OSError as error:
            raise _unusable(error) from error
        os.environ["FREETDSCONF"] = str(directory / "freetds.conf")


def _unusable(error: OSError) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"FUNNEL_CA_FILE cannot be used ({error.strerror}): check that the file is readable, and that the directory "
        "for temporary files is writable."
    )
