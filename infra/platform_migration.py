"""Taking a contractor's legacy platform over by the API: each file dry, then for real, as far as people let it.

Every step asks first or carries a key made from the import's id: a second run, also after a kill, goes on where the
first one stopped and changes nothing that is done.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.api import Api, Refused
from infra.price_files import MEDIA_TYPES, read_in_chunks

_POLL_SECONDS = 0.5
_SENT_AT_MOST = 10
_BUSY = 503
_UPLOAD_TIMEOUT_SECONDS = 3600.0
_MACHINE = frozenset({"UPLOADED", "PARSED", "VALIDATED", "APPROVED"})
_SUFFIXES = (".csv", ".xlsx")
_WAITS = ("NEEDS_REVIEW", "UNMATCHED", "SPLIT_REQUESTED", "NEW_TYPE_REQUESTED")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One file of the folder: what it is called and where it goes."""

    name: str
    address: str
    what: str
    needs: tuple[str, ...] = ()
    """Kinds that must be published first: a row is judged once, and refused for good by what is not there yet."""

    @property
    def is_mapping(self) -> bool:
        """Material codes have routes of their own."""
        return self.name == "materials"


KINDS = (
    Kind(name="materials", address="/catalog/mapping-jobs", what="material codes"),
    Kind(name="suppliers", address="/suppliers/supplier-imports", what="suppliers"),
    Kind(
        name="agreements",
        address="/orders/agreement-imports",
        what="framework agreements",
        needs=("materials", "suppliers"),
    ),
    Kind(name="prices", address="/orders/price-history-imports", what="price history"),
    Kind(name="evaluations", address="/suppliers/evaluation-imports", what="evaluations"),
    Kind(name="blacklist", address="/suppliers/blacklist-imports", what="blacklist"),
)
"""In this order: agreements need the codes and the suppliers, prices the codes, judgements the suppliers."""


@dataclass(kw_only=True)
class Outcome:
    """What became of one file."""

    kind: Kind
    file: Path
    import_id: str
    state: str
    repeated: bool
    dry: dict[str, Any] | None
    """The import as the dry run left it, where this run saw it."""
    job: dict[str, Any]
    stopped: str | None = None
    """Why it went no further."""
    error_file: Path | None = None

    @property
    def rows(self) -> dict[str, dict[str, int]]:
        """Rows by state and outcome; those of material codes have no outcome."""
        found = self.job.get("rows") or {}
        return {
            state: counted if isinstance(counted, dict) else {state: counted}
            for state, counted in found.items()
            if counted and state != "sample_open"
        }


@dataclass(kw_only=True)
class People:
    """Who sends and who approves."""

    importer: Api
    second: Api | None
    accept_sample: bool = False
    """The second person confirms the rows drawn from those accepted automatically, all of them."""


@dataclass(kw_only=True)
class Migration:
    """One run over one folder."""

    folder: Path
    people: People
    only_dry: bool
    say: Callable[[str], None]
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self) -> list[Outcome]:
        """Every file that is there, in order. Raises Refused, Unreachable."""
        for kind, file in files_in(self.folder):
            self.say(f"{file.name}: {kind.what} …")
            if awaited := self._awaited(kind):
                self.say(f"  not sent yet: it needs what {awaited} will publish; run this again then")
                continue
            outcome = self._one(kind, file)
            self._keep_errors(outcome)
            self.outcomes.append(outcome)
            self.say(f"  {outcome.state}{'' if outcome.stopped is None else f': {outcome.stopped}'}")
        return self.outcomes

    def _awaited(self, kind: Kind) -> str | None:
        """The file that has stopped before what this kind needs was published. A dry run publishes nothing anyway."""
        stopped = (each for each in self.outcomes if each.stopped is not None and each.kind.name in kind.needs)
        return None if self.only_dry else next((each.file.name for each in stopped), None)

    def _one(self, kind: Kind, file: Path) -> Outcome:
        sent = self._send(kind, file)
        job = self._waited(kind, sent["id"])
        outcome = Outcome(
            kind=kind,
            file=file,
            import_id=sent["id"],
            state=job["state"],
            repeated=bool(sent["repeated"]),
            dry=job if job["state"] == "MATCHED" else None,
            job=job,
        )
        if job["state"] == "FAILED":
            outcome.stopped = f"{job['problem']['code']}: {job['problem']['detail']}"
        elif self.only_dry:
            outcome.stopped = "a dry run goes no further" if job["state"] == "MATCHED" else None
        else:
            self._on(outcome)
        return outcome

    def _send(self, kind: Kind, file: Path) -> dict[str, Any]:
        """Send a file; while a service is busy (it may be publishing this very file) again, which is harmless."""
        for attempt in range(1, _SENT_AT_MOST + 1):
            try:
                return self._sent(kind, file)
            except Refused as refused:
                if refused.status != _BUSY or attempt == _SENT_AT_MOST:
                    raise
                self.say(f"  {kind.what}: the service is busy; sending again")
                time.sleep(_POLL_SECONDS * attempt)
        raise AssertionError

    def _sent(self, kind: Kind, file: Path) -> dict[str, Any]:
        sent: dict[str, Any] = self.people.importer.call(
            "POST",
            kind.address,
            params={"file_name": file.name, "dry_run": "true"},
            headers={
                "Content-Type": MEDIA_TYPES[file.suffix.lower()],
                "Content-Length": str(file.stat().st_size),
                "Idempotency-Key": f"migrate-platform/{kind.name}/{file.name}",
            },
            content=read_in_chunks(file, progress=lambda _: None),
            timeout=_UPLOAD_TIMEOUT_SECONDS,
        ).body
        return sent

    def _on(self, outcome: Outcome) -> None:
        """From the dry run to what the people let through."""
        kind, path = outcome.kind, f"{outcome.kind.address}/{outcome.import_id}"
        if outcome.state == "MATCHED":
            key = f"migrate-platform/{outcome.import_id}/review"
            self.people.importer.post(f"{path}/review", {}, key=key)
            self._look(outcome)
        if outcome.state == "IN_REVIEW":
            outcome.stopped = self._approved(kind, path, outcome)
            self._look(outcome)

    def _approved(self, kind: Kind, path: str, outcome: Outcome) -> str | None:
        """Let the second person approve; why that did not happen, if it did not."""
        second = self.people.second
        if second is None:
            return "a second person must approve it; name one with --second EMAIL"
        key = f"migrate-platform/{outcome.import_id}"
        if kind.is_mapping and (outcome.job.get("rows") or {}).get("sample_open"):
            if not self.people.accept_sample:
                return (
                    f"{outcome.job['rows']['sample_open']} rows drawn from those accepted automatically wait to be "
                    "looked at; --accept-sample confirms them all"
                )
            body = {"states": ["AUTO_ACCEPTED"], "sampled": True, "note": "confirmed by migrate-platform"}
            second.post(f"{path}/acceptances", body, key=f"{key}/acceptances")
        try:
            second.post(f"{path}/approval", {"leave_open": True}, key=f"{key}/approval")
        except Refused as refused:
            return f"{refused.code}: {refused.detail}"
        return None

    def _look(self, outcome: Outcome) -> None:
        outcome.job = self._waited(outcome.kind, outcome.import_id)
        outcome.state = outcome.job["state"]

    def _waited(self, kind: Kind, import_id: str) -> dict[str, Any]:
        while True:
            job: dict[str, Any] = self.people.importer.get(f"{kind.address}/{import_id}").body
            if job["state"] not in _MACHINE:
                return job
            time.sleep(_POLL_SECONDS)

    def _keep_errors(self, outcome: Outcome) -> None:
        """The error file beside the report, with the codes counted where the service does not count them."""
        text = self.people.importer.get(f"{outcome.kind.address}/{outcome.import_id}/errors.csv").body
        lines = str(text).lstrip("\ufeff").splitlines()
        if len(lines) < 2:
            return
        target = self.folder / "report"
        target.mkdir(exist_ok=True)
        outcome.error_file = target / f"{outcome.kind.name}-errors.csv"
        outcome.error_file.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
        if outcome.job.get("remarks") is None:
            outcome.job["remarks"] = _codes_in(lines)


def files_in(folder: Path) -> Iterator[tuple[Kind, Path]]:
    """The files of a folder that are understood, in the order they are taken."""
    for kind in KINDS:
        for suffix in _SUFFIXES:
            file = folder / f"{kind.name}{suffix}"
            if file.is_file():
                yield kind, file
                break


def _codes_in(lines: list[str]) -> dict[str, int]:
    place = lines[0].split(",").index("code")
    seen: dict[str, set[str]] = {}
    for line in lines[1:]:
        cells = line.split(",")
        seen.setdefault(cells[place], set()).add(cells[0])
    return dict(sorted(((code, len(rows)) for code, rows in seen.items()), key=lambda each: -each[1]))


def figures(outcome: Outcome) -> dict[str, int]:
    """The five figures of the report: read, mapped or linked, merged, staged, refused; and what waits."""
    rows, job = outcome.rows, outcome.job
    ready = rows.get("READY", {})
    told = {"read": job["rows_read"], "mapped": 0, "merged": 0, "staged": 0, "refused": job["rows_rejected"]}
    waiting = sum(rows.get("WAITING", {}).values())
    if outcome.kind.is_mapping:
        flat: Mapping[str, int] = job.get("rows") or {}
        told["mapped"] = flat.get("AUTO_ACCEPTED", 0) + flat.get("CONFIRMED", 0)
        told["merged"] = (job.get("remarks") or {}).get("RepeatedRow", 0)
        waiting = sum(flat.get(state, 0) for state in _WAITS)
        told["refused"] += flat.get("REJECTED", 0)
    else:
        told["mapped"] = sum(ready.get(each, 0) for each in ("NEW", "LINKED", "MAPPED"))
        told["merged"] = ready.get("MERGED", 0)
        told["staged"] = ready.get("STAGED", 0) + ready.get("UNMAPPED", 0)
        told["refused"] += sum(sum(rows.get(each, {}).values()) for each in ("REFUSED", "DECLINED"))
        told["mapped"] += ready.get("CANDIDATE", 0)
    return {**told, "waiting": waiting}
