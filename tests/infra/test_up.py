"""`python -m infra.up` when it cannot start: one sentence that names the remedy, an exit code, nothing left behind."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.clean import main as clean
from infra.instance import ROOT, Instance, exclusively
from tests.infra.conftest import free_port_base


def up(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.up", "--data-dir", str(folder), *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def assert_one_sentence(ran: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert ran.returncode == 5
    assert ran.stderr.startswith("Dougong cannot start: ")
    assert len(ran.stderr.strip().splitlines()) == 1
    for part in parts:
        assert part in ran.stderr


@pytest.fixture
def free_base() -> int:
    return free_port_base()


def test_a_taken_port(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = up(tmp_path / "data", "--port-base", str(port - 1))
    assert_one_sentence(ran, f"Port {port}, meant for members, is taken", "--port-base")
    assert not (tmp_path / "data" / "postgres").exists(), "ports are looked at before anything is started"


def test_a_database_server_that_does_not_answer(tmp_path: Path, free_base: int):
    ran = up(
        tmp_path / "data", "--port-base", str(free_base), DOUGONG_POSTGRES="postgresql://postgres@127.0.0.1:9/postgres"
    )
    assert_one_sentence(ran, "DOUGONG_POSTGRES refuses the connection")


def test_a_folder_that_cannot_be_used(tmp_path: Path, free_base: int):
    (tmp_path / "file").touch()
    assert_one_sentence(up(tmp_path / "file" / "data", "--port-base", str(free_base)), "cannot be used")


def test_credentials_that_are_damaged(tmp_path: Path, free_base: int):
    (tmp_path / "credentials.json").write_text('{"services": ')
    assert_one_sentence(up(tmp_path, "--port-base", str(free_base)), "credentials.json cannot be read")


def test_an_embedded_database_that_has_no_place(free_base: int):
    folder = Path(tempfile.mkdtemp(prefix="dougong-up-"))
    folder.chmod(0o755)  # else root, for whom another user runs the server, keeps the data elsewhere
    (folder / "postgres").write_text("not a folder")
    try:
        assert_one_sentence(up(folder, "--port-base", str(free_base)), "PostgreSQL cannot use")
    finally:
        shutil.rmtree(folder)


def test_cleaning_removes_the_folder_and_leaves_a_running_installation_alone(tmp_path: Path):
    instance = Instance(data_dir=tmp_path / "data")
    instance.logs.mkdir(parents=True)
    with exclusively(instance):
        assert clean(["--data-dir", str(instance.data_dir)]) == 5
    assert instance.logs.exists()
    assert clean(["--data-dir", str(instance.data_dir)]) == 0
    assert not instance.data_dir.exists()
