"""The release: the wheel and the sdist hold all that they need and nothing else, and run in an empty environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from agent_funnel import __version__

LONG = os.environ.get("FUNNEL_TEST_LONG") == "1"
ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "agent_funnel"
RELEASE = f"agent_funnel-{__version__}"
ARCHIVES = {"wheel": f"{RELEASE}-py3-none-any.whl", "sdist": f"{RELEASE}.tar.gz"}
# The kinds of files that the package may hold; a database, a picture or a backup copy would be an accident:
KINDS = {".css", ".html", ".js", ".md", ".mo", ".po", ".py", ".sql", ".svg", ".typed"}


def environment() -> dict[str, str]:
    """The environment without variables that could bring in our sources, another package index, or our settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "FUNNEL_", "PIP_", "PYTHON"))
    }
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def run(*command: str | Path, cwd: Path, settings: dict[str, str] | None = None) -> str:
    """Runs a command that must succeed; returns its standard output."""
    done = subprocess.run(
        command, cwd=cwd, env=settings or environment(), capture_output=True, text=True, encoding="utf-8",
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(directory: Path) -> set[str]:
    """The relative paths of all files below a directory, without the files that Python compiled."""
    paths = (path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(directory).as_posix() for path in paths}


def program(where: Path, name: str) -> Path:
    """The path of a program in a virtual environment."""
    return Path(sysconfig.get_path("scripts", "venv", {"base": str(where)}), name + (".exe" if os.name == "nt" else ""))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that `build` makes from the sdist and not from the checkout."""
    directory = tmp_path_factory.mktemp("release")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", directory, ROOT, cwd=directory)
    assert files(directory) == set(ARCHIVES.values())
    return directory


def test_the_wheel_holds_the_package_its_licence_and_nothing_else(release: Path) -> None:
    with zipfile.ZipFile(release / ARCHIVES["wheel"]) as wheel:
        names = set(wheel.namelist())
        metadata = message_from_bytes(wheel.read(f"{RELEASE}.dist-info/METADATA"))
    about = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert names == {f"agent_funnel/{name}" for name in files(SOURCES)} | {
        f"{RELEASE}.dist-info/{name}" for name in about
    }
    assert (metadata["Version"], metadata["License-Expression"]) == (__version__, "MIT")


def test_every_file_of_the_package_is_of_a_kind_that_belongs_there() -> None:
    found = files(SOURCES)
    assert {Path(name).suffix for name in found} <= KINDS
    # The other files are there, too:
    for part in ("sql/sqlite/", "sql/sqlserver/", "web/templates/", "web/static/"):
        assert any(name.startswith(part) for name in found), part
    assert "py.typed" in found


def test_files_of_other_projects_come_with_their_licences() -> None:
    names = files(SOURCES / "web" / "static" / "vendor")
    projects = {re.split(r"[-.]", name)[0] for name in names}
    assert projects
    assert {f"{project}-LICENSE.md" for project in projects} <= names


def test_the_sdist_holds_the_sources_the_documentation_and_nothing_else(release: Path) -> None:
    with tarfile.open(release / ARCHIVES["sdist"]) as sdist:
        names = {member.name.removeprefix(f"{RELEASE}/") for member in sdist if member.isfile()}
    assert names == {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"} | {
        f"{place}/{name}" for place in ("src/agent_funnel", "docs") for name in files(ROOT / place)
    }


def test_the_wheel_deals_and_serves_with_nothing_but_its_dependencies(release: Path, tmp_path: Path) -> None:
    where = tmp_path / "environment"
    venv.create(where, symlinks=os.name != "nt")
    python = program(where, "python")
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--find-links", release,
        f"agent-funnel=={__version__}", cwd=tmp_path,
    )  # fmt: skip
    # The dependencies come from the environment of the tests, so that no package index is needed. Python ignores `.pth`
    # files in a directory that a `.pth` file names, so the checkout, which the tests get from one, is not found.
    places = {sysconfig.get_path(place) for place in ("purelib", "platlib")}
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(where)}))
    (packages / "dependencies.pth").write_text("\n".join(sorted(places)), "utf-8")
    origin = run(python, "-c", "import agent_funnel; print(agent_funnel.__file__)", cwd=tmp_path)
    assert packages in Path(origin.strip()).parents
    deals_and_serves(program(where, "agent-funnel"), tmp_path)


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheels of all locked dependencies, as for a machine without a network."""
    directory = tmp_path_factory.mktemp("dependencies")
    run(
        sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--require-hashes",
        "--requirement", ROOT / "requirements.lock", "--dest", directory, cwd=directory, settings=dict(os.environ),
    )  # fmt: skip
    return directory


@pytest.mark.skipif(not LONG, reason="downloads every dependency; in the long version only")
@pytest.mark.parametrize("archive", ARCHIVES)
def test_each_archive_installs_from_nothing_but_a_directory_of_wheels(
    archive: str, release: Path, dependencies: Path, tmp_path: Path
) -> None:
    where = tmp_path / "environment"
    venv.create(where, symlinks=os.name != "nt", with_pip=True)
    run(
        program(where, "python"), "-m", "pip", "install", "--no-index", "--find-links", dependencies,
        release / ARCHIVES[archive], cwd=tmp_path,
    )  # fmt: skip
    deals_and_serves(program(where, "agent-funnel"), tmp_path)


def deals_and_serves(command: Path, directory: Path) -> None:
    """Makes a demo, deals it, and fetches the dashboard with every file that its page needs."""
    run(command, "demo", "--leads", "500", cwd=directory)
    dealt = json.loads(run(command, "run", "--json", cwd=directory))
    assert dealt["status"] == "succeeded"
    assert dealt["assigned"] > 0
    with subprocess.Popen(
        [command, "serve", "--port", "0"], cwd=directory, env=environment(), text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as service:  # fmt: skip
        try:
            address = listening(service)
            page = read(f"{address}/").decode()
            assert f"{dealt['assigned']}" in page
            parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
            assert {Path(part).suffix for part in parts} >= {".css", ".js"}
            assert all(read(f"{address}{part}") for part in parts)
        finally:
            service.kill()


def listening(service: subprocess.Popen[str]) -> str:
    """Waits until a service says that it is listening; returns its address."""
    assert service.stdout is not None
    said = []
    for line in service.stdout:
        said.append(line)
        if found := re.search(r"Agent Funnel on (http://\S+),", line):
            return found[1]
    raise AssertionError("the service ended: " + "".join(said))


def read(address: str) -> bytes:
    """The body of the answer that a browser gets."""
    with urlopen(Request(address, headers={"Accept": "text/html,*/*"}), timeout=30) as answer:
        body: bytes = answer.read()
        return body
