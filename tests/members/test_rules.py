"""Pure rules: kinds, links, roles, passwords, attempts, scopes, refresh tokens."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.access import rules as access
from services.members.access.rules import RefreshOutcome, RefreshState
from services.members.companies import rules as companies
from services.members.companies.rules import CompanyKind, CompanyStatus, Link
from services.members.people import rules as people
from services.members.people.rules import AttemptLimit
from shared.identity import Role, Scope
from shared.ids import new_id

A, B, C, D = (new_id() for _ in range(4))
AT = datetime(2026, 9, 24, 8, tzinfo=UTC)


def link(child, parent, start="2026-01-01", end=None) -> Link:
    until = date.fromisoformat(end) if end else None
    return Link(child=child, parent=parent, valid_from=date.fromisoformat(start), valid_until=until)


def test_a_company_never_stands_above_itself():
    assert companies.closes_cycle(link(A, A), [])
    assert companies.closes_cycle(link(B, A), [link(A, B)])
    assert companies.closes_cycle(link(C, A), [link(A, B), link(B, C)])


def test_a_chain_is_no_cycle():
    assert not companies.closes_cycle(link(A, B), [link(B, C), link(C, D)])


def test_links_that_never_stand_on_the_same_day_close_no_cycle():
    before = [link(A, B, "2026-01-01", "2026-06-01")]
    assert not companies.closes_cycle(link(B, A, "2026-06-01"), before)
    assert companies.closes_cycle(link(B, A, "2026-05-31"), before)


def test_a_path_whose_links_never_stand_together_closes_no_cycle():
    above = [link(A, B, "2026-01-01", "2026-03-01"), link(B, C, "2026-06-01")]
    assert not companies.closes_cycle(link(C, A, "2026-01-01"), above)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9), st.integers(1, 5)), max_size=12))
def test_links_taken_one_by_one_never_make_a_cycle_on_any_day(wishes):
    ids = [new_id() for _ in range(6)]
    first = date(2026, 1, 1)
    taken: list[Link] = []
    for child, parent, start, length in wishes:
        wish = Link(
            child=ids[child],
            parent=ids[parent],
            valid_from=first + timedelta(days=start),
            valid_until=first + timedelta(days=start + length),
        )
        alone = not any(t.child == wish.child and companies.share_a_day(t, wish) for t in taken)
        if alone and not companies.closes_cycle(wish, taken):
            taken.append(wish)
    for day in (first + timedelta(days=n) for n in range(16)):
        parents = {t.child: t.parent for t in taken if t.valid_from <= day < (t.valid_until or day)}
        for company in ids:
            above, seen = company, {company}
            while above in parents:
                above = parents[above]
                assert above not in seen
                seen.add(above)


def test_the_group_is_the_top_of_the_chain_on_the_day():
    links = [link(A, B, "2026-01-01", "2026-07-01"), link(B, C), link(A, D, "2026-07-01")]
    assert companies.top_of_chain(A, links, on=date(2026, 6, 30)) == C
    assert companies.top_of_chain(A, links, on=date(2026, 7, 1)) == D
    assert companies.top_of_chain(A, links, on=date(2025, 12, 31)) == A
    assert companies.top_of_chain(C, links, on=date(2026, 6, 30)) == C


def test_a_link_that_ends_where_another_begins_shares_no_day_with_it():
    assert not companies.share_a_day(link(A, B, "2026-01-01", "2026-02-01"), link(A, C, "2026-02-01"))
    assert companies.share_a_day(link(A, B), link(A, C, "2030-01-01"))


def test_a_branch_is_also_a_contractor_or_a_supplier():
    fault = companies.kinds_fault([CompanyKind.BRANCH])
    assert fault is not None
    assert fault.rule == "BranchOfWhat"
    assert companies.kinds_fault([CompanyKind.BRANCH, CompanyKind.SUPPLIER]) is None


def test_closed_is_final():
    assert companies.may_move(old=CompanyStatus.SUSPENDED, new=CompanyStatus.ACTIVE)
    assert not companies.may_move(old=CompanyStatus.CLOSED, new=CompanyStatus.ACTIVE)


def test_every_role_belongs_to_some_kind_of_company_and_every_kind_is_real():
    given_by_kinds = people.allowed_roles(people.ROLES_OF_KIND)
    assert given_by_kinds == {role.value for role in Role}
    assert set(people.ROLES_OF_KIND) <= {kind.value for kind in CompanyKind}


def test_every_scope_belongs_to_suppliers_or_to_services():
    assert {scope.value for scope in Scope} == access.SUPPLIER_SCOPES | access.SERVICE_SCOPES
    assert access.allowed_scopes(["supplier"]) == access.SUPPLIER_SCOPES
    assert access.allowed_scopes(["contractor"]) == frozenset()


def test_a_supplier_gives_no_buying_roles():
    assert people.allowed_roles(["supplier"]) == {"admin", "supplier_sales", "supplier_finance"}


def test_a_membership_stands_from_its_first_moment_up_to_its_last():
    def stands(at, status="ACTIVE"):
        return people.stands(status=status, valid_from=AT, valid_until=AT + timedelta(days=1), at=at)

    assert stands(AT)
    assert not stands(AT - timedelta(microseconds=1))
    assert not stands(AT + timedelta(days=1))
    assert not stands(AT, status="INVITED")


@pytest.mark.parametrize("email", ["", "a", "a@b", "a b@c.cn", "a@b@c.cn", "a@b..cn", "a@.cn", f"{'a' * 65}@b.cn"])
def test_what_is_no_email_address_is_refused(email):
    assert people.email_fault(people.normalise_email(email))


def test_an_email_address_has_one_spelling():
    assert people.normalise_email(" Li.Na＠Contractor.Example ") == "li.na@contractor.example"


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaa", "ababababababab", "li.na@contractor.example", "x" * 9, "a1b2c" * 41]
)
def test_a_password_that_is_easy_to_guess_is_refused(password):
    assert people.password_fault(password, email="li.na@contractor.example")


@pytest.mark.parametrize("password", ["copper kettle", "一二三四五六七八九十", "a1b2c3d4e5"])
def test_length_makes_a_password(password):
    assert people.password_fault(password, email="li.na@contractor.example") is None


def test_waiting_is_told_in_whole_seconds_rounded_up():
    limit = AttemptLimit(most=3, window=timedelta(seconds=60))
    later = AT + timedelta(seconds=59, milliseconds=500)
    assert people.retry_after_seconds(window_start=AT, limit=limit, at=AT) == 60
    assert people.retry_after_seconds(window_start=AT, limit=limit, at=later) == 1


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "network"),
    [
        ("203.0.113.9", "", 0, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", 0, "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", 2, "198.51.100.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", 0, "203.0.113.9"),
        ("", "", 0, "unknown"),
    ],
)
def test_only_our_own_proxies_are_believed_about_the_network(peer, forwarded, proxies, network):
    assert people.client_network(peer=peer, forwarded=forwarded, proxies=proxies) == network


def a_refresh(**changes) -> RefreshState:
    state = {
        "used_at": None,
        "expires_at": AT + timedelta(days=1),
        "revoked_at": None,
        "begun_at": AT - timedelta(days=1),
        "password_changed_at": AT - timedelta(days=2),
    }
    return RefreshState(**{**state, **changes})


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, RefreshOutcome.GOOD),
        ({"used_at": AT}, RefreshOutcome.REUSED),
        ({"used_at": AT, "revoked_at": AT}, RefreshOutcome.REUSED),
        ({"revoked_at": AT}, RefreshOutcome.OVER),
        ({"expires_at": AT}, RefreshOutcome.OVER),
        ({"password_changed_at": AT}, RefreshOutcome.OVER),
        ({"password_changed_at": None}, RefreshOutcome.GOOD),
    ],
)
def test_a_refresh_token_is_good_once_and_while_its_session_lasts(changes, outcome):
    assert access.judge_refresh(a_refresh(**changes), at=AT) is outcome


def test_a_token_never_holds_a_scope_the_client_lacks():
    held, allowed = frozenset({"orders:read", "stock:write"}), access.SUPPLIER_SCOPES
    assert access.granted_scopes(requested=None, held=held, allowed=allowed) == held
    assert access.granted_scopes(requested=["stock:write"], held=held, allowed=allowed) == frozenset(["stock:write"])
    assert access.granted_scopes(requested=["prices:write"], held=held, allowed=allowed) is None
    assert access.granted_scopes(requested=None, held=held, allowed=set()) is None


def test_status_moves_never_leave_closed():
    assert all(old is not CompanyStatus.CLOSED for old, _ in companies.STATUS_MOVES)
    assert all(a != b for a, b in pairwise(CompanyStatus))
