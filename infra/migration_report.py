"""The report of `dougong migrate-platform`: what was mapped, merged, staged, refused and why; and the gates."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from infra.api import Api, Refused
from infra.platform_migration import Outcome, figures

FIGURES = ("read", "mapped", "merged", "staged", "waiting", "refused")
_REASONS_SHOWN = 8
_GATE_DAYS = timedelta(days=90)
"""The gate looks at the spend of so many days (domain.md 3.2)."""
_GATES = (
    ("mapped_spend", ">= 0.8"),
    ("valid_suppliers", ">= 0.95"),
    ("expired_documents", "<= 0.05"),
    ("independent_groups", ">= 2"),
    ("confidentiality_suite", "green"),
    ("rules_published", "draft"),
    ("operator_neutrality", "stated"),
    ("export_drill", "once"),
)
"""What the step from S1 to S2 asks (domain.md 3.2), for a category for which no stage change is drafted yet."""


def report_of(outcomes: Sequence[Outcome], *, importer: Api, admin: Api | None, today: date) -> dict[str, Any]:
    """The whole report. Raises Refused, Unreachable."""
    since = (today - _GATE_DAYS).isoformat()
    spend = _asked(importer, "/orders/price-history/spend", [], since=since)
    suppliers = _asked(importer, "/suppliers/relations/summary", None)
    return {
        "files": [_of(outcome) for outcome in outcomes],
        "spend_since": since,
        "spend": spend,
        "suppliers": suppliers,
        "gates": _gates(spend, suppliers, admin=admin, group=_group(importer)),
    }


def _asked(api: Api, path: str, otherwise: Any, **params: Any) -> Any:
    try:
        return api.get(path, **params).body
    except Refused:
        return otherwise


def _of(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": outcome.file.name,
        "kind": outcome.kind.name,
        "import_id": outcome.import_id,
        "address": f"{outcome.kind.address}/{outcome.import_id}",
        "state": outcome.state,
        "repeated": outcome.repeated,
        "stopped": outcome.stopped,
        "figures": figures(outcome),
        "rows": outcome.rows,
        "published": outcome.job["rows_published"],
        "reasons": outcome.job.get("remarks") or {},
        "errors": None if outcome.error_file is None else str(outcome.error_file),
    }


def _gates(
    rows: Sequence[dict[str, Any]], suppliers: dict[str, Any] | None, *, admin: Api | None, group: str | None
) -> list[dict[str, Any]]:
    """Per category what `members` says of the newest stage change; without one, what can be measured without it."""
    spend = {each["category"]: each for each in rows}
    unplaced = Decimal(spend.get(None, {}).get("total", 0))
    told = []
    for category in sorted(each for each in spend if each is not None):
        checked = _checked(admin, group, category)
        total = Decimal(spend[category]["total"]) + unplaced
        share = f"{Decimal(spend[category]['mapped']) / total:.4f}" if total else None
        measured = {"mapped_spend": share, "valid_suppliers": suppliers and suppliers["sound_share"]}
        gates = checked or [
            {"gate": gate, "required": required, "measured": measured.get(gate), "passed": None}
            for gate, required in _GATES
        ]
        told.append(
            {
                "category": category,
                "step": "S1 to S2",
                "source": "members" if checked else "legacy data; draft a stage change to have all gates checked",
                "gates": gates,
            }
        )
    return told


def _group(importer: Api) -> str | None:
    """The group whose stages these are: the importer's own."""
    me = _asked(importer, "/members/me", {})
    company = (me.get("company") or {}).get("id")
    record = None if company is None else _asked(importer, f"/members/companies/{company}", None)
    return None if record is None else record.get("group_id") or company


def _checked(admin: Api | None, group: str | None, category: str) -> list[dict[str, Any]] | None:
    """The gates of the newest stage change of a category, checked now where its state allows it."""
    if admin is None or group is None:
        return None
    try:
        path = f"/members/companies/{group}/stages/{category}/changes"
        changes = admin.get(path).body
        if not changes:
            return None
        change = changes[0]
        if change["status"] in {"DRAFT", "GATES_CHECKED"}:
            key = f"migrate-platform/gates/{change['id']}/{change['version']}"
            change = admin.post(f"{path}/{change['id']}/gates", {}, key=key).body
    except Refused:
        return None
    gates: list[dict[str, Any]] | None = change["gates"]
    return gates


def write_report(report: dict[str, Any], folder: Path) -> tuple[Path, Path]:
    """The report as Markdown and as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    markdown, document = folder / "report.md", folder / "report.json"
    markdown.write_text(as_markdown(report), encoding="utf-8")
    document.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2, default=str))
    return markdown, document


def as_markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        "# Migration of a legacy platform",
        "",
        "| file | state | " + " | ".join(FIGURES) + " | published |",
        "| --- | --- |" + " ---: |" * (len(FIGURES) + 1),
    ]
    for each in report["files"]:
        shown = " | ".join(f"{each['figures'][name]:,}" for name in FIGURES)
        lines.append(f"| {each['file']} | {each['state']} | {shown} | {each['published']:,} |")
    for each in report["files"]:
        lines += ["", f"## {each['file']}", ""]
        lines += [f"- stopped: {each['stopped']}"] if each["stopped"] else []
        lines += [f"- {state}: {_counted(by)}" for state, by in each["rows"].items()]
        lines += [f"- remark {code}: {count:,} rows" for code, count in reasons_shown(each)]
        lines += [f"- all row errors: {each['errors']}"] if each["errors"] else []
        lines += [f"- import: {each['address']}"]
    lines += ["", "## Gates of the first stage change (S1 to S2)"]
    for category in report["gates"]:
        lines += ["", f"### {category['category']}", "", f"Measured by: {category['source']}.", ""]
        lines += ["| gate | required | measured | passed |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {gate['gate']} | {gate['required']} | {gate['measured'] or 'not measured'} | {_passed(gate)} |"
            for gate in category["gates"]
        ]
    return "\n".join([*lines, ""])


def reasons_shown(entry: dict[str, Any]) -> list[tuple[str, int]]:
    """The commonest remarks of a file."""
    return sorted(entry["reasons"].items(), key=lambda each: (-each[1], each[0]))[:_REASONS_SHOWN]


def _counted(by: dict[str, int]) -> str:
    return ", ".join(f"{outcome} {count:,}" for outcome, count in sorted(by.items(), key=lambda each: -each[1]))


def _passed(gate: dict[str, Any]) -> str:
    return "not checked" if gate["passed"] is None else "yes" if gate["passed"] else "no"
