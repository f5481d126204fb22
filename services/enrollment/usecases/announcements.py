"""What is told to the other services about a change, each part sealed to who needs it."""

from collections.abc import Iterator

from services.common.contracts.enrollment import (
    ContactChanged,
    CoverageActivated,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import Event
from services.common.ids import new_id
from services.common.kit import clock
from services.enrollment.model import Coverage, Member, WorkplaceUnion
from services.enrollment.rules import Change, contact_of
from services.enrollment.store.vault import UNSALTED, Vault


def of_change(vault: Vault, change: Change) -> Iterator[Event]:
    member = change.after
    if change.registered:
        yield _registered(vault, member)
    if change.payee_changed:
        yield payee_changed(vault, member)
    if change.contact_changed:
        yield _contact_changed(vault, member)
    for coverage in change.coverages:
        yield _activated(member, coverage)


def _registered(vault: Vault, member: Member) -> MemberRegistered:
    return MemberRegistered(
        event_id=new_id(),
        at=clock.now(),
        version=member.version,
        member_id=member.member_id,
        identity_index=member.identity_index,
        unit_code=member.unit_code,
        salts=vault.wrapped_salts(member.member_id, member.salt),
    )


def payee_changed(vault: Vault, member: Member) -> PayeeChanged:
    payee, owner, salt = member.person.payee, member.member_id, member.salt
    return PayeeChanged(
        event_id=new_id(),
        at=clock.now(),
        version=member.payee_version,
        member_id=owner,
        payee=vault.seal("payments", "payee", owner, salt, payee),
        tail=vault.seal("notify", "tail", owner, salt, payee.card.tail()),
    )


def _contact_changed(vault: Vault, member: Member) -> ContactChanged:
    owner, salt, contact = member.member_id, member.salt, contact_of(member.person)
    return ContactChanged(
        event_id=new_id(),
        at=clock.now(),
        version=member.contact_version,
        member_id=owner,
        unit_code=member.unit_code,
        contact=vault.seal("notify", "contact", owner, salt, contact),
    )


def _activated(member: Member, coverage: Coverage) -> CoverageActivated:
    return CoverageActivated(
        event_id=new_id(),
        at=clock.now(),
        version=coverage.version,
        member_id=member.member_id,
        coverage_id=coverage.coverage_id,
        scheme_id=coverage.scheme_id,
        starts_on=coverage.starts_on,
        ends_on=coverage.ends_on,
        units=coverage.units,
    )


def officers_changed(vault: Vault, union: WorkplaceUnion) -> OfficersChanged:
    return OfficersChanged(
        event_id=new_id(),
        at=clock.now(),
        version=union.officers_version,
        unit_id=union.unit_id,
        unit_code=union.code,
        officers=vault.seal("notify", "officers", union.unit_id, UNSALTED, union.officers),
    )
