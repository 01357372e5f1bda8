"""Where the files of papers stand: a folder of the service, one file a paper, named by ids alone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

LEFT_OVER_SECONDS = 24 * 3600.0
"""An upload or file without a row that is older was left behind by a process that was killed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperFolder:
    """`incoming` while a body arrives and is looked through; then under the supplier's id."""

    folder: Path

    def prepare(self) -> None:
        """Make the folders."""
        (self.folder / "incoming").mkdir(parents=True, exist_ok=True)

    def incoming(self, name: UUID) -> Path:
        """Where a body is written while it arrives."""
        return self.folder / "incoming" / str(name)

    def path_of(self, *, supplier_id: UUID, paper_id: UUID) -> Path:
        """The file of a paper."""
        return self.folder / str(supplier_id) / str(paper_id)

    def keep(self, body: Path, *, supplier_id: UUID, paper_id: UUID) -> Path:
        """Put what arrived in its place, whole or not at all."""
        place = self.path_of(supplier_id=supplier_id, paper_id=paper_id)
        place.parent.mkdir(exist_ok=True)
        body.replace(place)
        return place

    def old_files(self, *, before: float) -> Iterator[tuple[UUID, UUID]]:
        """Supplier and paper id of the files that are older than a moment (seconds since 1970)."""
        for folder in self.folder.iterdir():
            if folder.name == "incoming":
                continue
            for file in folder.iterdir():
                if file.stat().st_mtime < before:
                    yield UUID(folder.name), UUID(file.name)

    def forget_incoming(self, *, before: float) -> int:
        """Remove uploads that nobody finished; how many."""
        old = [file for file in (self.folder / "incoming").iterdir() if file.stat().st_mtime < before]
        for file in old:
            file.unlink(missing_ok=True)
        return len(old)

    def forget(self, papers: Collection[tuple[UUID, UUID]]) -> None:
        """Remove files of which no row tells."""
        for supplier_id, paper_id in papers:
            self.path_of(supplier_id=supplier_id, paper_id=paper_id).unlink(missing_ok=True)
