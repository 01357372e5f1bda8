"""Writes both lock files: `make lock`. Every version with its hashes, no index address, build tools included."""

import subprocess
import sys
from pathlib import Path

HEADER = """\
# Written by `make lock` from pyproject.toml: every version with its hashes, and no index address.
# setuptools, which builds our own package, is among them: `pip install --no-build-isolation` needs no other.
"""
OPTIONS = (
    "--all-build-deps", "--allow-unsafe", "--generate-hashes", "--strip-extras", "--no-header", "--quiet",
    "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--upgrade",
)  # fmt: skip


def _compile(target: Path, *extra: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "piptools", "compile", "pyproject.toml", *OPTIONS, *extra, "-o", str(target)],
        check=True,
    )
    target.write_text(f"{HEADER}\n{target.read_text().lstrip()}")


def main() -> None:
    """Development is locked on top of what runs, so both name the same versions."""
    _compile(Path("requirements.lock"))
    _compile(Path("requirements-dev.lock"), "--extra", "dev", "-c", "requirements.lock")


if __name__ == "__main__":
    main()
