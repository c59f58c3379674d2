"""Has FreeTDS check the server's certificate, for which pymssql has no argument."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_funnel.errors import DatabaseUnavailable


class Certificates:
    """The authorities that we believe, as they were in a file at the start.

    FreeTDS finds them by a configuration file that FREETDSCONF names, so the check holds for the whole process. It
    reads that file at each login, and where there is none it connects without any check.
    """

    def __init__(self, ca_file: Path, host: str, port: int) -> None:
        try:
            # Nobody else can write there; removed with this object, or at the end of the process.
            self._directory = TemporaryDirectory(prefix="agent-funnel-")
            self._files = {
                # A copy, since a line there has 255 characters, and ends at a # or a ;.
                "ca.pem": ca_file.read_bytes(),
                # A section for this very server: without one, the user's own files are read too, and win.
                "freetds.conf": (
                    f"[global]\nca file = {Path(self._directory.name) / 'ca.pem'}\ncheck certificate hostname = yes\n"
                    f"[{host}:{port}]\nhost = {host}\nport = {port}\n"
                ).encode(),
            }
        except OSError as error:
            raise _unusable(error) from error

    def demand(self) -> None:
        """Has them checked by the logins that come; call it before each."""
        directory = Path(self._directory.name)
        try:
            # Whoever clears the temporary files of a machine may have cleared these.
            directory.mkdir(mode=0o700, exist_ok=True)
            for name, content in self._files.items():
                if not (directory / name).exists():
                    # In one step: half a configuration, read by another thread, would be one without a check.
                    with TemporaryDirectory(dir=directory) as aside:
                        (Path(aside) / name).write_bytes(content)
                        (Path(aside) / name).replace(directory / name)
        except OSError as error:
            raise _unusable(error) from error
        os.environ["FREETDSCONF"] = str(directory / "freetds.conf")


def _unusable(error: OSError) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"FUNNEL_CA_FILE cannot be used ({error.strerror}): it must be readable, and there must be a directory for "
        "temporary files that can be written to."
    )
