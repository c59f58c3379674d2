"""The workflow and the files of containers: everything from elsewhere is pinned, and no password is a variable."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent_funnel import __version__
from agent_funnel.settings import Settings, variable
from support.processes import environment

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED_IMAGE = re.compile(r"[\w./-]+:[\w.-]*\d+\.?\d*[\w.-]*@sha256:[0-9a-f]{64}")
# Files that set variables of ours, and files that are run as they are written:
DEPLOYED = [ROOT / "compose.yaml", ROOT / "Dockerfile", *sorted((ROOT / "deploy").glob("*.*"))]


def text_of(path: Path) -> str:
    """A file without its comments."""
    return re.sub(r"^\s*#.*$", "", path.read_text("utf-8"), flags=re.MULTILINE)


def test_every_action_is_pinned_by_a_commit_and_names_its_version() -> None:
    used = [line for path in WORKFLOWS for line in re.findall(r"uses: (.*)", path.read_text("utf-8"))]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_every_image_is_pinned_by_a_digest_and_names_its_version() -> None:
    images = re.findall(r"^FROM (\S+)", text_of(ROOT / "Dockerfile"), re.MULTILINE)
    # An alias stands for the image that is written out once.
    images += [
        image
        for image in re.findall(r"image: (?:&\w+ )?(\S+)", text_of(ROOT / "compose.yaml"))
        if not image.startswith("*")
    ]
    for path in WORKFLOWS:
        for name in re.findall(r"image: (\S+):\$\{\{ matrix\.image \}\}", text_of(path)):
            tags = re.findall(r"^ +- (\S+@sha256:\S+)$", text_of(path), re.MULTILINE)
            assert tags
            images += [f"{name}:{tag}" for tag in tags]
    assert len(images) >= 4
    for image in images:
        assert PINNED_IMAGE.fullmatch(image), image


def test_every_kind_of_pinned_thing_is_updated_by_dependabot() -> None:
    found = re.findall(r"package-ecosystem: (\S+)", (ROOT / ".github" / "dependabot.yml").read_text("utf-8"))
    assert found == ["github-actions", "docker", "docker-compose"]


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
def test_no_password_is_a_variable_and_every_variable_is_a_setting(path: Path) -> None:
    text = text_of(path)
    assert not re.search(r"://\w+:[^@/\s]+@", text)
    assert not re.search(r"PASSWORD: ", text)
    names = set(re.findall(r"FUNNEL_[A-Z_]*[A-Z]", text))
    assert names <= {variable(field) for field in Settings.model_fields}


def test_the_image_has_the_version_of_the_program() -> None:
    assert f"image: agent-funnel:{__version__}\n" in (ROOT / "deploy" / "kubernetes.yaml").read_text("utf-8")


def test_the_workflow_starts_the_service_as_the_file_says() -> None:
    """The steps of the job and the comment of compose.yaml are the same commands, but for the names."""
    job = WORKFLOWS[0].read_text("utf-8").split("\n  image:\n")[1]
    comment = (ROOT / "compose.yaml").read_text("utf-8").split("services:\n")[0]
    for command in (
        "mkdir -m 700 secrets",
        "> secrets/sa-password",
        "> secrets/funnel-password",
        "docker compose build",
        "agent-funnel keys add",
    ):
        assert command in job, command
        assert command in comment, command
    # The key comes before the service.
    assert job.index("keys add") < job.index("compose up")
    deal = job[job.index("--request POST") : job.index("/run-now")]
    assert '--header "Authorization: Bearer $key"' in deal
    # Without it, the deal is refused from ten minutes before the scheduled one to the end of its catch-up.
    assert """--header "Content-Type: application/json" --data '{"again": true}'""" in deal


def test_the_last_line_of_a_new_key_is_its_secret(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent_funnel"]
    for arguments in (["install"], ["keys", "add", "ci", "--role", "admin"]):
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
        )
    assert re.fullmatch(r"funnel_\S{30,}", done.stdout.splitlines()[-1])


@pytest.mark.skipif(os.name == "nt", reason="the image is for Linux")
def test_the_health_check_of_the_image_asks_the_port_of_the_service() -> None:
    check = re.search(r'"-c", \\\n\s+"(.*)"\]', (ROOT / "Dockerfile").read_text("utf-8"))
    assert check
    done = subprocess.run(
        [sys.executable, "-c", check[1]], env=environment(FUNNEL_PORT="1"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "refused" in done.stderr
