"""Ids sort by time; derived ones follow from what they name."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import derived_id, id_under, new_id, new_ids, said


def test_many_ids_come_in_order_and_never_twice() -> None:
    ids = new_ids(10_000)
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {made.version for made in ids} == {7}


def test_later_ids_sort_later() -> None:
    first = new_id()
    later = first
    while later.int >> 80 == first.int >> 80:
        later = new_id()
    assert later > first


@given(st.lists(st.text()), st.lists(st.text()))
def test_only_equal_parts_have_equal_ids(one: list[str], other: list[str]) -> None:
    assert (derived_id(*one) == derived_id(*other)) == (one == other)


def test_a_derived_id_stays_the_same_for_ever() -> None:
    assert derived_id("grant", 1, b"x") == UUID("4509df22-968e-8688-a3d3-25f6c3f73d69")


def test_ids_under_others_come_in_their_order_and_differ_by_what_is_said() -> None:
    others = new_ids(1_000)
    under = [id_under(other, said(other) + said(part)) for other in others for part in (1, 2)]
    assert len(set(under)) == len(under)
    assert sorted(under[::2]) == under[::2]
    assert id_under(others[0], said(others[0]) + said(1)) == under[0]
