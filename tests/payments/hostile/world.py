"""One run's world: members, our desk, the bank, and the one clock that all of them go by."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from deploy.sandbox import clock as bank_clock
from services.common.contracts.event import Event
from services.common.kit import clock
from services.common.kit.db import Database, Row, Unit, driver_dsn
from services.common.kit.http import Client
from services.common.kit.sealing import Opener, Sealer
from services.payments.channels.base import BankChannel, Payer
from services.payments.channels.cmb.channel import Cmb
from services.payments.channels.iso20022.channel import Iso20022
from services.payments.channels.p1_file import P1File
from services.payments.channels.p2_file import P2File
from services.payments.model.funds import Fund, Funds
from services.payments.settings import Settings
from services.payments.usecases.desk import Desk
from services.payments.usecases.fund import open_funds
from tests.payments.hostile.bank import OtherSide, quick_signatures
from tests.payments.hostile.wire import Killed, MishapFolder, Share, Wire
from tests.payments.people import Member, deliver

CHANNELS: Final = ("p1", "p2", "iso20022", "cmb")
SCHEMES: Final = ("bj.mutual", "wh.other")
NAMES: Final = ("王小明", "阿依古丽·买买提", "李雷", "韩梅梅")
# A Monday, with two workdays behind it and a weekend in reach.
MORNING: Final = datetime(2026, 11, 16, 9, 30, tzinfo=clock.BUSINESS_ZONE)
FINANCE: Final = tuple(UUID(int=number) for number in range(1, 5))
_FIRST_ID: Final = 0x0190_0000_0000


class MortalDatabase(Database):
    """Our process may die at the end of a transaction: just before it is committed, or behind."""

    deadly = ""
    transactions_left = 0

    def arm(self, kind: str, transactions: int) -> None:
        self.deadly, self.transactions_left = kind, transactions

    @asynccontextmanager
    async def begin(self, *, single: bool = False) -> AsyncGenerator[Unit]:
        del single  # a transaction around one statement as well: the process may die before its end
        dies = ""
        if self.deadly:
            self.transactions_left -= 1
            if self.transactions_left < 0:
                dies, self.deadly = self.deadly, ""
        async with super().begin() as unit:
            yield unit
            if dies == "uncommitted":
                raise Killed
        if dies:
            raise Killed


@dataclass
class Person:
    """A member, and the cards that were told of."""

    member: Member
    name: str
    number: int
    cards: int = 0


class Tools:
    """What runs share: a database that is emptied between them, keys, a folder for books."""

    def __init__(self, settings: Settings, superuser_url: str, folder: Path) -> None:
        self.settings = settings
        self.database = MortalDatabase(settings, application="payments")
        self._superuser_dsn = driver_dsn(superuser_url)
        self.sealer = Sealer.from_dir(settings.keys_dir)
        self.opener = Opener.from_dir(settings.keys_dir, "payments")
        self.folder = folder

    async def open(self) -> None:
        """Open the eye: whoever looks past the desk, and empties what it may not."""
        self.eye = await asyncpg.connect(self._superuser_dsn)
        tables = await self.eye.fetch(
            "select relname from pg_class where relkind in ('r', 'p') and not relispartition"
            " and relnamespace = 'public'::regnamespace"
            " and relname not in ('alembic_version', 'relay_state') order by relname"
        )
        emptied = "".join(f'delete from "{row["relname"]}";' for row in tables)  # noqa: S608 - names
        # What is append-only is kept so by triggers.
        self._empty = f"begin; set local session_replication_role = replica; {emptied} commit"

    async def empty(self) -> None:
        await self.eye.execute(self._empty)

    async def close(self) -> None:
        await self.database.close()
        await self.eye.close()


@dataclass
class World:
    seed: int
    tools: Tools
    random: Random
    hands: clock.SetClock
    funds: Funds
    bank: OtherSide
    wire: Wire
    share: Share
    struck: Counter[str]
    people: list[Person] = field(default_factory=list[Person])
    history: list[Event] = field(default_factory=list[Event])
    untold: list[Event] = field(default_factory=list[Event])
    trace: list[str] = field(default_factory=list[str])
    # Batches that finance has had asked about again, and in which life of the bank's books.
    asked: set[tuple[UUID, int]] = field(default_factory=set[tuple[UUID, int]])
    bank_life: int = 0
    # Reports of the bank that are still on their way into the shared folder.
    hidden: list[Path] = field(default_factory=list[Path])
    ids: int = 0
    kills: int = 0

    async def begin_anew(self) -> None:
        """Start our process: a new desk over the same database."""
        database = self.tools.database
        database.deadly = ""
        client = Client("bank", "http://bank", transport=self.wire)
        channels = {fund.fund_id: self._channel(fund, client) for fund in self.funds.funds}
        settings, sealer, opener = self.tools.settings, self.tools.sealer, self.tools.opener
        self.desk = Desk(settings, database, self.funds, channels, sealer, opener)
        await open_funds(self.desk)
        await deliver(self.desk, *self.untold)
        self.untold.clear()

    def _channel(self, fund: Fund, client: Client) -> BankChannel:
        payer = Payer(fund.account, fund.holder, "UNION01", "职工医疗互助金")
        match fund.channel:
            case "p1":
                return P1File(payer, client)
            case "p2":
                return P2File(payer, client)
            case "iso20022":
                return Iso20022(payer, MishapFolder(self.bank, self.share), fund.cnaps or "")
            case "cmb":
                return Cmb(payer, OtherSide.keys(), client)

    @property
    def channels(self) -> str:
        return "+".join(fund.channel for fund in self.funds.funds)

    @property
    def speaks_iso(self) -> bool:
        return any(fund.channel == "iso20022" for fund in self.funds.funds)

    @property
    def nothing_on_the_line(self) -> bool:
        return not (self.wire.late or self.hidden)

    def pass_time(self, by: timedelta) -> None:
        self.hands.advance(by)
        bank_clock.Hands.moment = clock.now().astimezone(bank_clock.CHINA)

    def new_id(self) -> UUID:
        """Give ids in the order of time, as claims does, but out of the seed."""
        self.ids += 1
        head = (_FIRST_ID + self.ids) << 80 | 7 << 76 | 0b10 << 62
        return UUID(int=head | self.random.getrandbits(62))

    def join(self) -> Person:
        name = NAMES[len(self.people)]
        member = Member(self.tools.sealer, name, member_id=self.new_id())
        person = Person(member, name, len(self.people))
        self.people.append(person)
        return person

    async def tell(self, event: Event) -> None:
        """Hand an event over; whoever begins anew is handed again what was not kept."""
        self.history.append(event)
        self.untold.append(event)
        await deliver(self.desk, event)
        self.untold.clear()

    async def grant(self, person: Person, amount_fen: int) -> None:
        scheme = self.random.choice(SCHEMES) if len(self.funds.funds) > 1 else SCHEMES[0]
        event = person.member.grant(amount_fen, 2018 + self.random.randint(0, 1), scheme)
        ids: dict[str, Any] = {"grant_id": self.new_id(), "claim_id": self.new_id()}
        await self.tell(msgspec.structs.replace(event, **ids))

    async def new_card(self, person: Person, *, good: bool = True) -> str:
        """Tell of a card that nobody has had before; a good one is nobody else's."""
        person.cards += 1
        card = f"62220210{person.number:02d}{person.cards:06d}"
        await self.tell(person.member.payee(person.cards, card if good else f"{card}X"))
        return card

    async def rows(self, sql: str, *args: object) -> list[Row]:
        """Look into the database past the desk."""
        return await self.tools.eye.fetch(sql, *args)


def funds_of(random: Random, seed: int) -> Funds:
    """Choose the channels by the seed, so that any four runs in a row have all of them."""
    first = CHANNELS[seed % len(CHANNELS)]
    chosen = [first, random.choice(CHANNELS)] if random.random() < 0.3 else [first]
    hours = {"opens": "09:00", "cut_off": "17:00"} if random.random() < 0.25 else None
    said = [
        {
            "fund_id": f"fund{place}",
            "name": "职工互助资金",
            "schemes": ["wh.*"] if place + 1 < len(chosen) else ["*"],
            "channel": channel,
            "account": f"31000000000000{place + 1:04d}",
            "holder": "职工互助会",
            "cnaps": "103653000018",
            "hours": hours,
        }
        for place, channel in enumerate(chosen)
    ]
    return Funds.model_validate({"funds": said})


@asynccontextmanager
async def opened(tools: Tools, seed: int) -> AsyncGenerator[World]:
    """Open the world of a seed, empty; its books are gone behind it."""
    random = Random(seed)  # noqa: S311 - the same seed, the same run
    struck: Counter[str] = Counter()
    await tools.empty()
    folder = tools.folder / str(seed)
    bank = OtherSide(folder, struck)
    with ExitStack() as stack:
        hands = stack.enter_context(clock.set_to(MORNING))
        stack.enter_context(bank_clock.set_to(MORNING))
        stack.enter_context(quick_signatures())
        world = World(
            seed=seed,
            tools=tools,
            random=random,
            hands=hands,
            funds=funds_of(random, seed),
            bank=bank,
            wire=Wire(bank, random, struck),
            share=Share(struck),
            struck=struck,
        )
        bank.begin()
        try:
            await world.begin_anew()
            yield world
        finally:
            tools.database.deadly = ""
            await bank.end()
