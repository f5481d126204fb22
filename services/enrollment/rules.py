"""Who becomes a member and what a roster row changes. Pure: same row, same member, same outcome."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import msgspec

from services.common.identity import PersonName, born_on, sex_of
from services.common.ids import derived_id
from services.enrollment.model import (
    Contact,
    Cover,
    Coverage,
    Member,
    Person,
    PersonFacts,
    RosterRow,
)

# The surnames of two characters that are in use; every other Chinese surname has one.
_COMPOUND_SURNAMES = frozenset(
    """
    欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫
    宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官
    司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延
    东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 第五
    """.split()  # noqa: SIM905 (a list of sixty quoted words is harder to read)
)


@dataclass(frozen=True, slots=True)
class Change:
    """A member before and after; before is None where the row made the member."""

    before: Member | None
    after: Member

    @property
    def registered(self) -> bool:
        return self.before is None or self.before.version < self.after.version

    @property
    def payee_changed(self) -> bool:
        return self.before is None or self.before.payee_version < self.after.payee_version

    @property
    def contact_changed(self) -> bool:
        return self.before is None or self.before.contact_version < self.after.contact_version

    @property
    def coverages(self) -> list[Coverage]:
        """List what has begun, or begins earlier or with other units than before."""
        coverages = self.after.coverages
        if self.before is None:
            return list(coverages.values())
        known = self.before.coverages
        return [coverages[name] for name in coverages if coverages[name] is not known.get(name)]


def newcomer(
    row: RosterRow, unit: str, start: date, *, member_id: UUID, identity_index: bytes, salt: bytes
) -> Member:
    return Member(
        member_id=member_id,
        identity_index=identity_index,
        salt=salt,
        unit_code=unit,
        person=row.person,
        coverages=covered({}, row, member_id, start),
    )


def enrolled(member: Member, row: RosterRow, unit: str, start: date) -> Member:
    """Give the member as the row has it; the very same member where the row says nothing new."""
    person = _restated(member.person, row.person)
    coverages = covered(member.coverages, row, member.member_id, start)
    moved = unit != member.unit_code
    if not moved and person == member.person and coverages is member.coverages:
        return member
    restated = moved or person.groups != member.person.groups
    rung = moved or contact_of(person) != contact_of(member.person)
    return replace(
        member,
        unit_code=unit,
        person=person,
        coverages=coverages,
        version=member.version + restated,
        payee_version=member.payee_version + (person.payee != member.person.payee),
        contact_version=member.contact_version + rung,
    )


def _restated(known: Person, stated: Person) -> Person:
    """Keep a corrected card while the unit only repeats the card that was corrected."""
    if known.corrected is None or stated.stated != known.stated:
        return stated
    return msgspec.structs.replace(stated, corrected=known.corrected)


def covered(
    known: Mapping[str, Coverage], row: RosterRow, member_id: UUID, start: date
) -> Mapping[str, Coverage]:
    """Add what the row asks for; a coverage is carried back, never shortened."""
    starts_on = max(start, row.person.hired_on or start)
    news = [
        coverage
        for cover in row.covers
        if (coverage := _coverage(known.get(cover.scheme_id), cover, member_id, starts_on))
        is not known.get(cover.scheme_id)
    ]
    return {**known, **_by_scheme(news)} if news else known


def _coverage(known: Coverage | None, cover: Cover, member_id: UUID, starts_on: date) -> Coverage:
    if known is None:
        return Coverage(
            coverage_id=derived_id("coverage", member_id, cover.scheme_id),
            scheme_id=cover.scheme_id,
            starts_on=starts_on,
            ends_on=None,
            units=cover.units,
            version=1,
        )
    earliest = min(known.starts_on, starts_on)
    if (earliest, cover.units) == (known.starts_on, known.units):
        return known
    return replace(known, starts_on=earliest, units=cover.units, version=known.version + 1)


def _by_scheme(coverages: Iterable[Coverage]) -> dict[str, Coverage]:
    return {coverage.scheme_id: coverage for coverage in coverages}


def person_facts(person: Person) -> PersonFacts:
    """Give what the rules of schemes ask of a member."""
    return PersonFacts(
        born=born_on(person.id_number), sex=sex_of(person.id_number), groups=person.groups
    )


def contact_of(person: Person) -> Contact:
    return Contact(surname(person.name), person.phone)


def surname(name: PersonName) -> str:
    """Give how a text addresses somebody: 欧阳 of 欧阳娜娜, 王 of 王芳, the first word else."""
    text = name.open()
    if text.isascii():
        return text.split()[0]
    return text[:2] if len(text) > 2 and text[:2] in _COMPOUND_SURNAMES else text[:1]  # noqa: PLR2004 (a given name must be left)
