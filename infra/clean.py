"""Removes a local installation, wherever its database lies: `python -m infra.clean`, or `make clean`."""

import argparse
import shutil
import sys
from pathlib import Path

from infra.commands.console import ExitCode
from infra.instance import DATA_DIR, CannotStart, Instance, exclusively
from infra.postgres import Server
from infra.supervisor import end_leftovers


def clean(instance: Instance) -> None:
    """End what a killed run left, stop the database, remove both folders.

    Raises:
        CannotStart: it is running.
    """
    if not instance.data_dir.exists():
        return
    with exclusively(instance):
        end_leftovers(instance.processes_file, say=print)
        server = Server(instance.data_dir / "postgres")
        if server.data.exists():
            server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)
        shutil.rmtree(instance.data_dir)


def main(arguments: list[str] | None = None) -> int:
    """Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.clean", description=(__doc__ or "").split(":")[0])
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR)
    try:
        clean(Instance(data_dir=parser.parse_args(arguments).data_dir))
    except CannotStart as problem:
        print(f"Nothing is removed: {problem}", file=sys.stderr)
        return ExitCode.CANNOT_START
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
