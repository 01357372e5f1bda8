"""What becomes visible to whom: the policy table read for one step, in words a person can check before approving."""

from dataclasses import dataclass

from shared.audience import Audience, Ceiling, Change, Stage, changes_between, narrower

_WHO = {
    Audience.PARTIES: "the parties named",
    Audience.ORG: "the group itself",
    Audience.CIRCLE: "the groups of the circle",
    Audience.MEMBERS: "every company that takes part",
    Audience.PUBLIC: "everybody, also without signing in",
}


@dataclass(frozen=True, kw_only=True)
class ReportLine:
    """One kind of object: how far it may be seen before and after, at most."""

    kind: str
    before: str
    after: str
    widens: bool


def report(before: Stage, after: Stage) -> list[ReportLine]:
    """What the step changes, kind by kind. An object's own audience may be narrower still."""
    return [
        ReportLine(kind=change.kind, before=_words(change.before), after=_words(change.after), widens=_widens(change))
        for change in changes_between(before, after)
    ]


def _words(ceiling: Ceiling) -> str:
    words = _WHO[ceiling.full]
    if ceiling.by_consent:
        words += ", as far as the supplier's consent goes"
    if ceiling.reduced is not None:
        words += f"; {_WHO[ceiling.reduced]}: only {ceiling.reduced_to}"
    return words


def _widest(ceiling: Ceiling) -> Audience:
    return ceiling.reduced or ceiling.full


def _widens(change: Change) -> bool:
    before, after = _widest(change.before), _widest(change.after)
    return before is not after and narrower(before, after) is before
