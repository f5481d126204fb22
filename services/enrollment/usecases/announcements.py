"""What is told to the other services about a change, each part sealed to who needs it."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from services.common.contracts.enrollment import (
    ContactChanged,
    CoverageActivated,
    MemberRegistered,
    OfficersChanged,
    PayeeChanged,
)
from services.common.contracts.event import Event
from services.common.ids import new_ids
from services.common.kit import clock
from services.common.kit.sealing import UNSALTED
from services.enrollment.model import Coverage, Member, WorkplaceUnion
from services.enrollment.rules import Change, contact_of, person_facts
from services.enrollment.store.vault import Vault

# Registered, payee and contact: at most one of each about a change.
_EVENTS_BESIDE_COVER: Final = 3


def of_changes(vault: Vault, changes: Sequence[Change]) -> list[Event]:
    """Tell of each member in turn; ids and the moment are asked for once, not per event."""
    told = _Teller(vault, new_ids(sum(_EVENTS_BESIDE_COVER + len(c.coverages) for c in changes)))
    return [event for change in changes for event in told.of_change(change)]


def of_payees(vault: Vault, members: Sequence[Member]) -> list[Event]:
    told = _Teller(vault, new_ids(len(members)))
    return [told.payee_changed(member) for member in members]


def of_officers(vault: Vault, unions: Sequence[WorkplaceUnion]) -> list[Event]:
    told = _Teller(vault, new_ids(len(unions)))
    return [told.officers_changed(union) for union in unions]


class _Teller:
    def __init__(self, vault: Vault, event_ids: Sequence[UUID]) -> None:
        self._vault = vault
        self._event_ids = iter(event_ids)
        self._at = clock.now()

    def of_change(self, change: Change) -> Iterator[Event]:
        member = change.after
        if change.registered:
            yield self.registered(member)
        if change.payee_changed:
            yield self.payee_changed(member)
        if change.contact_changed:
            yield self.contact_changed(member)
        for coverage in change.coverages:
            yield self.activated(member, coverage)

    def registered(self, member: Member) -> MemberRegistered:
        return MemberRegistered(
            event_id=next(self._event_ids),
            at=self._at,
            version=member.version,
            member_id=member.member_id,
            identity_index=member.identity_index,
            unit_code=member.unit_code,
            salts=self._vault.wrapped_salts(member.member_id, member.salt),
            person=self._vault.seal(
                "claims", "person", member.member_id, member.salt, person_facts(member.person)
            ),
        )

    def payee_changed(self, member: Member) -> PayeeChanged:
        payee, owner, salt = member.person.payee, member.member_id, member.salt
        return PayeeChanged(
            event_id=next(self._event_ids),
            at=self._at,
            version=member.payee_version,
            member_id=owner,
            payee=self._vault.seal("payments", "payee", owner, salt, payee),
            tail=self._vault.seal("notify", "tail", owner, salt, payee.card.tail()),
        )

    def contact_changed(self, member: Member) -> ContactChanged:
        owner, salt, contact = member.member_id, member.salt, contact_of(member.person)
        return ContactChanged(
            event_id=next(self._event_ids),
            at=self._at,
            version=member.contact_version,
            member_id=owner,
            unit_code=member.unit_code,
            contact=self._vault.seal("notify", "contact", owner, salt, contact),
        )

    def activated(self, member: Member, coverage: Coverage) -> CoverageActivated:
        return CoverageActivated(
            event_id=next(self._event_ids),
            at=self._at,
            version=coverage.version,
            member_id=member.member_id,
            coverage_id=coverage.coverage_id,
            scheme_id=coverage.scheme_id,
            starts_on=coverage.starts_on,
            ends_on=coverage.ends_on,
            units=coverage.units,
        )

    def officers_changed(self, union: WorkplaceUnion) -> OfficersChanged:
        return OfficersChanged(
            event_id=next(self._event_ids),
            at=self._at,
            version=union.officers_version,
            unit_id=union.unit_id,
            unit_code=union.code,
            officers=self._vault.seal(
                "notify", "officers", union.unit_id, UNSALTED, union.officers
            ),
        )
