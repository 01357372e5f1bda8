"""The narrower-of rule, tried with random owners, authors, stages, circles, consents and viewers (domain.md 3.2)."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audience import (
    CEILINGS,
    OWNER_ALONE,
    PARTIES_AND_OWN_GROUP,
    Audience,
    Meant,
    ObjectKind,
    Space,
    Stage,
    changes_between,
    effective_keys,
    narrower,
    viewer_keys,
    visible,
)

COMPANIES = [UUID(int=100 + n) for n in range(6)]
GROUPS = [UUID(int=200 + n) for n in range(4)]
CIRCLES = [UUID(int=300 + n) for n in range(3)]
MEMBERS_OF = {CIRCLES[0]: {GROUPS[0], GROUPS[1]}, CIRCLES[1]: {GROUPS[0], GROUPS[2]}, CIRCLES[2]: {GROUPS[3]}}
GROUP_OF = dict(zip(COMPANIES, [GROUPS[0], GROUPS[0], GROUPS[1], GROUPS[2], GROUPS[3], GROUPS[3]], strict=True))
IDS = {
    Audience.PARTIES: COMPANIES,
    Audience.ORG: GROUPS,
    Audience.CIRCLE: CIRCLES,
    Audience.MEMBERS: COMPANIES,
    Audience.PUBLIC: COMPANIES,
}

kinds = st.sampled_from(ObjectKind)
companies = st.sampled_from(COMPANIES)


@st.composite
def meant(draw):
    audience = draw(st.sampled_from(Audience))
    return Meant(
        audience=audience,
        ids=draw(st.frozensets(st.sampled_from(IDS[audience]), max_size=3)),
        parties=draw(st.frozensets(companies, max_size=2)),
    )


@st.composite
def spaces(draw):
    """A group's space; at S2 it names a circle the group stands in."""
    group = draw(st.sampled_from(GROUPS))
    stage = draw(st.sampled_from(Stage))
    own_circles = [circle for circle in CIRCLES if group in MEMBERS_OF[circle]]
    if stage is not Stage.S2:
        return Space(group_id=group, stage=stage)
    circle = draw(st.sampled_from(own_circles))
    return Space(group_id=group, stage=stage, circle_id=circle, circle_group_ids=frozenset(MEMBERS_OF[circle]))


def keys_of(company: UUID | None) -> frozenset[str]:
    if company is None:
        return viewer_keys()
    group = GROUP_OF[company]
    circles = [circle for circle, members in MEMBERS_OF.items() if group in members]
    return viewer_keys(company_id=company, group_id=group, circle_ids=circles)


def reaches(audience: Audience, space: Space, viewer: UUID | None) -> bool:
    """The plain meaning of a ceiling, written down without keys."""
    group = GROUP_OF.get(viewer) if viewer else None
    if audience is Audience.PUBLIC:
        return True
    if audience is Audience.MEMBERS:
        return viewer is not None
    if audience is Audience.CIRCLE and space.circle_id is not None and group in MEMBERS_OF[space.circle_id]:
        return True
    return audience is not Audience.PARTIES and group == space.group_id


def author_means(own: Meant, space: Space, viewer: UUID | None) -> bool:
    """The plain meaning of an object's own audience within a space."""
    group = GROUP_OF.get(viewer) if viewer else None
    if viewer is not None and viewer in own.parties:
        return True
    if own.audience is Audience.PARTIES:
        return viewer in own.ids
    if own.audience is Audience.ORG and group in own.ids:
        return True
    if own.audience is Audience.CIRCLE and any(group in MEMBERS_OF[circle] for circle in own.ids):
        return True
    return reaches(own.audience if own.audience is not Audience.CIRCLE else Audience.ORG, space, viewer)


viewers = st.none() | companies


@given(
    kind=kinds,
    own=meant(),
    space=spaces(),
    owner=companies,
    consent=st.none() | meant(),
    reduced=st.booleans(),
    viewer=viewers,
)
def test_nobody_sees_more_than_the_author_the_stage_and_the_consent_allow(
    kind, own, space, owner, consent, reduced, viewer
):
    keys = effective_keys(kind, own=own, space=space, owner=owner, consent=consent, reduced=reduced)
    if not visible(keys, keys_of(viewer)) or viewer == owner:
        return
    named = own.parties | (own.ids if own.audience is Audience.PARTIES else frozenset())
    own_group = viewer is not None and GROUP_OF[viewer] == space.group_id
    if kind in OWNER_ALONE:
        pytest.fail("a sealed bid was opened")
    if viewer in named:
        return
    if kind in PARTIES_AND_OWN_GROUP:
        assert own_group
        return
    ceiling = CEILINGS[kind][space.stage]
    widest = ceiling.reduced if reduced and ceiling.reduced else ceiling.full
    assert reaches(widest, space, viewer)
    assert author_means(own, space, viewer)
    if ceiling.by_consent and not own_group:
        assert consent is not None
        assert author_means(consent, space, viewer)


@given(
    own=meant(),
    space=spaces(),
    owner=companies,
    consent=st.none() | meant(),
    reduced=st.booleans(),
    viewer=viewers,
    kind=st.sampled_from(sorted(PARTIES_AND_OWN_GROUP)),
)
def test_no_stage_audience_or_consent_opens_an_agreement_price_to_another_contractor(
    own, space, owner, consent, reduced, viewer, kind
):
    keys = effective_keys(kind, own=own, space=space, owner=owner, consent=consent, reduced=reduced)
    named = own.parties | (own.ids if own.audience is Audience.PARTIES else frozenset())
    allowed = viewer == owner or viewer in named or (viewer is not None and GROUP_OF[viewer] == space.group_id)
    assert visible(keys, keys_of(viewer)) == allowed


@given(kind=kinds, own=meant(), group=st.sampled_from(GROUPS), owner=companies, viewer=viewers)
def test_without_a_recorded_stage_nothing_of_business_leaves_the_group(kind, own, group, owner, viewer):
    keys = effective_keys(kind, own=own, space=Space(group_id=group), owner=owner)
    if kind in {ObjectKind.STANDARD_COMPONENT, ObjectKind.OFFICIAL_LIST_ENTRY}:
        return
    named = own.parties | (own.ids if own.audience is Audience.PARTIES else frozenset())
    if visible(keys, keys_of(viewer)):
        assert viewer == owner or viewer in named or (viewer is not None and GROUP_OF[viewer] == group)


@given(kind=kinds, own=meant(), space=spaces(), owner=companies, viewer=viewers, consent=st.none() | meant())
def test_narrowing_the_authors_audience_never_shows_more(kind, own, space, owner, viewer, consent):
    keys = effective_keys(kind, own=own, space=space, owner=owner, consent=consent)
    parties = replace(own, audience=Audience.PARTIES, ids=own.parties)
    narrow = effective_keys(kind, own=parties, space=space, owner=owner, consent=consent)
    assert visible(keys, keys_of(viewer)) or not visible(narrow, keys_of(viewer))


@given(kind=kinds, own=meant(), space=spaces(), owner=companies)
def test_the_owner_always_sees_its_own(kind, own, space, owner):
    assert visible(effective_keys(kind, own=own, space=space, owner=owner), keys_of(owner))


@given(kind=kinds, space=spaces(), owner=companies, viewer=viewers)
def test_what_its_author_opens_to_all_goes_as_far_as_the_ceiling(kind, space, owner, viewer):
    """The policy is no wall of its own: what may be seen is seen."""
    own = Meant(audience=Audience.PUBLIC)
    ceiling = CEILINGS[kind][space.stage]
    if ceiling.by_consent or kind in OWNER_ALONE:
        return
    seen = visible(effective_keys(kind, own=own, space=space, owner=owner), keys_of(viewer))
    assert seen == (viewer == owner or reaches(ceiling.full, space, viewer))


def test_the_table_knows_every_kind_at_every_stage():
    assert set(CEILINGS) == set(ObjectKind)
    assert all(set(stages) == set(Stage) for stages in CEILINGS.values())
    with pytest.raises(TypeError):
        CEILINGS[ObjectKind.LISTING][Stage.S1] = CEILINGS[ObjectKind.LISTING][Stage.S3]  # type: ignore[index]


def test_a_reduced_form_goes_further_than_the_full_object_or_it_would_not_be_needed():
    for stages in CEILINGS.values():
        for ceiling in stages.values():
            if ceiling.reduced is not None:
                assert ceiling.reduced_to
                assert narrower(ceiling.full, ceiling.reduced) is ceiling.full
                assert ceiling.full is not ceiling.reduced


def test_a_qualification_document_reaches_the_groups_a_consent_names_and_no_others():
    space = Space(
        group_id=GROUPS[0], stage=Stage.S2, circle_id=CIRCLES[0], circle_group_ids=frozenset(MEMBERS_OF[CIRCLES[0]])
    )
    own = Meant(audience=Audience.PUBLIC)
    consent = Meant(audience=Audience.ORG, ids=frozenset({GROUPS[1], GROUPS[2]}))
    keys = effective_keys(ObjectKind.QUALIFICATION_DOCUMENT, own=own, space=space, owner=COMPANIES[4], consent=consent)
    assert keys == {f"company:{COMPANIES[4]}", f"group:{GROUPS[0]}", f"group:{GROUPS[1]}"}


def test_the_changes_between_two_stages_name_what_moves_and_leave_out_what_does_not():
    moved = {change.kind: change for change in changes_between(Stage.S1, Stage.S2)}
    assert moved[ObjectKind.LISTING].after.full is Audience.CIRCLE
    assert ObjectKind.AGREEMENT_PRICE not in moved
    assert ObjectKind.STANDARD_COMPONENT not in moved
    narrowed = {change.kind: change for change in changes_between(Stage.S2, Stage.S3)}
    assert narrowed[ObjectKind.BLACKLIST_ENTRY].after.reduced is None
