"""Judging the rows of one supplier list against the records and against each other."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.suppliers.merging.queries import Known
from services.suppliers.supplier_imports.rules import OnRecord, Outcome, Reading, candidates, differs
from shared.importing.columns import RowError
from shared.importing.states import RowState
from shared.importing.store import Verdict


class Matcher:
    """Rows are asked about in the order of the file: an earlier row with the same number is the same company."""

    def __init__(
        self, *, by_tax_id: Mapping[str, tuple[UUID, str]], known: Sequence[Known], readings: Sequence[Reading]
    ) -> None:
        self._by_tax_id = by_tax_id
        self._by_registration: dict[str, set[UUID]] = {}
        self._on_record: dict[str, list[OnRecord]] = {}
        for each in known:
            if each.registration_no:
                self._by_registration.setdefault(each.registration_no, set()).add(each.supplier_id)
            self._note(str(each.supplier_id), each.name, each.name_key, each.region, each.bank_key)
        self._first_of: dict[str, Reading] = {}
        self._row_of_registration: dict[str, Reading] = {}
        for reading in readings:
            if reading.uscc is not None:
                first = self._first_of.setdefault(reading.uscc, reading)
                known_as = by_tax_id.get(reading.uscc)
                choice = f"row-{first.row_no}" if known_as is None else str(known_as[0])
                self._note(choice, reading.name, reading.key, reading.region, reading.bank)
                if reading.registration_no:
                    self._row_of_registration.setdefault(reading.registration_no, first)

    def _note(self, choice: str, name: str, key: str, region: str | None, bank: str | None) -> None:
        self._on_record.setdefault(key, []).append(
            OnRecord(choice=choice, name=name, key=key, region=region, bank=bank)
        )

    def verdict(self, row: Reading) -> Verdict:
        """What becomes of a row."""
        if row.uscc is not None:
            return self._by_number(row, row.uscc)
        if row.registration_no is not None:
            holders = self._by_registration.get(row.registration_no, set())
            if len(holders) == 1:
                return self._linked(row, next(iter(holders)), "uscc")
            first = self._row_of_registration.get(row.registration_no)
            if first is not None and not holders:
                return self._merged(row, first)
        found = candidates(row, self._on_record.get(row.key, []))
        if found:
            told = f"Perhaps {found[0].name}: the same name, account and region; a person decides."
            return Verdict(
                row_no=row.row_no,
                state=RowState.WAITING,
                outcome=Outcome.CANDIDATE,
                result={
                    "choices": [each.choice for each in found],
                    "names": [each.name for each in found],
                    "because": "name, account and region",
                },
                remarks=[RowError(column="name", code="Candidate", text=told, severity="warning")],
            )
        told = "No 统一社会信用代码, and nobody on record has this name with this account in this region."
        return Verdict(
            row_no=row.row_no,
            state=RowState.REFUSED,
            outcome=Outcome.UNIDENTIFIED,
            remarks=[RowError(column="uscc", code=Outcome.UNIDENTIFIED, text=told)],
        )

    def _by_number(self, row: Reading, uscc: str) -> Verdict:
        first = self._first_of[uscc]
        if first.row_no != row.row_no:
            return self._merged(row, first)
        known = self._by_tax_id.get(uscc)
        if known is not None:
            return self._linked(row, known[0], "uscc", name=known[1])
        return Verdict(row_no=row.row_no, state=RowState.READY, outcome=Outcome.NEW)

    @staticmethod
    def _linked(row: Reading, supplier_id: UUID, column: str, *, name: str | None = None) -> Verdict:
        remarks = []
        if name is not None and name != row.name:
            told = f"The record of this number is named {name}; the file's name is kept as another name of it."
            remarks.append(RowError(column="name", code="NameDiffers", text=told, severity="warning"))
        return Verdict(
            row_no=row.row_no,
            state=RowState.READY,
            outcome=Outcome.LINKED,
            result={"supplier_id": str(supplier_id), "by": column},
            remarks=remarks,
        )

    @staticmethod
    def _merged(row: Reading, first: Reading) -> Verdict:
        told = f"The same company as row {first.row_no}."
        remarks = [RowError(column="uscc", code="SameCompany", text=told, severity="warning")]
        mark = differs(first, row)
        if mark is not None:
            told_mark = f"Row {first.row_no} says another {mark}; that row counts."
            remarks.append(RowError(column=mark, code="MarksDiffer", text=told_mark, severity="warning"))
        return Verdict(
            row_no=row.row_no,
            state=RowState.READY,
            outcome=Outcome.MERGED,
            result={"same_as": f"row-{first.row_no}"},
            remarks=remarks,
        )
