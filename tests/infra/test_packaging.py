"""The lock files, the Makefile, the image and the containers agree with each other and with the settings."""

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import instance, postgres

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("members", "catalog", "suppliers", "orders")
LOCKS = ("requirements.lock", "requirements-dev.lock")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / lock).read_text()))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_index_and_no_host(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links|trusted-host)", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_package_has_hashes_and_the_build_tool_is_among_them(lock):
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text())
    pinned = [block for block in blocks if _PIN.match(block)]
    assert all("--hash=sha256:" in block for block in pinned)
    assert "setuptools" in pins(lock)


def test_development_runs_on_the_very_versions_that_are_shipped():
    shipped, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert shipped.items() <= development.items()


def test_the_locks_hold_everything_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, wanted in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-dev.lock", project["dependencies"] + project["optional-dependencies"]["dev"]),
    ):
        names = {re.split(r"[\[=<>~ ]", entry)[0].lower().replace("_", "-") for entry in wanted}
        assert names <= set(pins(lock)), f"run `make lock`: {names - set(pins(lock))}"


def test_make_alone_prints_its_targets():
    said = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    for target in ("up", "test", "check", "bench", "migrate", "clean"):
        assert f"make {target}" in said


def test_the_image_installs_what_make_up_installs():
    image = (ROOT / "infra" / "Dockerfile").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for step in ("install --require-hashes -r requirements.lock", "install --no-deps --no-build-isolation -e ."):
        assert step in image
        assert step in makefile


def test_alembic_knows_every_service():
    sections = re.findall(r"^\[(\w+)\]", (ROOT / "alembic.ini").read_text(), re.MULTILINE)
    assert set(SERVICES) <= set(sections)
    assert "://" not in (ROOT / "alembic.ini").read_text()


def test_the_containers_hold_no_secret(compose):
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"\$\{\w*(PASSWORD|SECRET):-", text), "a secret must have no default"
    for address in re.findall(r"postgresql://\w+:([^@]+)@", text):
        assert address.startswith("${")
        assert ":?" in address
    example = (ROOT / ".env.example").read_text()
    assert not re.search(r"^\w+=.+$", example, re.MULTILINE)
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_and_its_worker_start_from_the_one_image_after_the_migrations(compose, service):
    serving, working = compose["services"][service], compose["services"][f"{service}-worker"]
    assert serving["image"] == working["image"] == compose["services"]["migrate"]["image"]
    assert f"services.{service}.app:create" in serving["command"]
    assert "--factory" in serving["command"]
    assert working["command"] == ["python", "-m", f"services.{service}.worker"]
    assert import_module(f"services.{service}.app").create
    assert import_module(f"services.{service}.worker").main
    for container in (serving, working):
        assert container["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert container["environment"] == serving["environment"]
    assert "/health/ready" in " ".join(serving["healthcheck"]["test"])


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_containers_set_is_what_the_settings_read(compose, service):
    settings = import_module(f"services.{service}.settings").Settings
    prefix = settings.model_config["env_prefix"]
    known = {f"{prefix}{name}".upper() for name in settings.model_fields}
    given = set(compose["services"][service]["environment"])
    assert given <= known
    required = {f"{prefix}{name}".upper() for name, field in settings.model_fields.items() if field.is_required()}
    assert required <= given


def test_the_migrating_container_reaches_every_role_of_every_service(compose):
    given = compose["services"]["migrate"]["environment"]
    for service in SERVICES:
        for name in ("OWNER_DATABASE_URL", "DATABASE_URL", "SYSTEM_DATABASE_URL"):
            assert f"{service.upper()}_{name}" in given
    assert compose["services"]["postgres"]["image"] == "postgres:18"


def test_the_command_line_starts_without_what_only_the_services_need():
    program = "import sys, infra.cli; print([m for m in ('fastapi', 'sqlalchemy', 'alembic') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"


def test_the_servers_and_the_starter_mean_the_same_services():
    assert SERVICES == instance.SERVICES == postgres.SERVICES
