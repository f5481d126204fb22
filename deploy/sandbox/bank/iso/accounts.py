"""What the bank tells of accounts: movements as they come, and the statement of each day.

An account is told of here unless what it pays goes through another door: whoever draws its money
there reads its movements there.
"""

import asyncio
from datetime import date, timedelta

from deploy.sandbox.bank.bank import Bank
from deploy.sandbox.bank.iso import camt, spoil
from deploy.sandbox.bank.iso.folder import Folder
from deploy.sandbox.bank.iso.notes import Memory, Noticed, Stated, statement_name
from deploy.sandbox.bank.movements import Kind
from deploy.sandbox.clock import now, stamp, today
from deploy.sandbox.faults import Faults, IsoNoticeFault

NOTICE_MOVEMENTS_MAX = 1_000
ONE_DAY = timedelta(days=1)
MIDNIGHT = "T00:00:00+08:00"


class Accounts:
    def __init__(self, bank: Bank, folder: Folder, faults: Faults) -> None:
        self._bank = bank
        self._folder = folder
        self._faults = faults
        self._elsewhere: set[str] = set()
        # Two writers of one file would ruin it.
        self._writing = asyncio.Lock()

    async def tell(self, memory: Memory) -> None:
        """Write what has moved since the last notices, and the statements of days that ended."""
        for account in self._bank.payers():
            if account in memory.payers or account not in self._elsewhere:
                while await self._tell_some(memory, account):
                    pass
        for account, first_day in memory.since.items():
            last = memory.stated.get(account)
            day = last + ONE_DAY if last else first_day
            while day < today():
                stated = Stated(account, day)
                await memory.keep(stated)
                await self.write_statement(stated)
                day += ONE_DAY

    async def state_now(self, account: str, day: date) -> str:
        """Write the statement of a day as it is now, over the one before; give its file's name."""
        await self._state(account, day, stamp(now()))
        return statement_name(account, day)

    async def write_statement(self, stated: Stated) -> None:
        """Write the statement of a day that is over; its content follows from the books."""
        await self._state(stated.account, stated.day, f"{stated.day + ONE_DAY}{MIDNIGHT}")

    async def write_notice(self, noticed: Noticed, fault: IsoNoticeFault | None = None) -> None:
        """Write the file of a notice; without a fault its content follows from its note."""
        movements = await self._bank.movements(noticed.account, noticed.after, noticed.count)
        told = spoil.movements(fault.kind, movements) if fault else movements
        pieces = camt.notice(noticed.account, noticed.number, noticed.at, told)
        right = spoil.text(fault.kind, pieces) if fault else pieces
        await asyncio.to_thread(self._folder.put, noticed.name, right)

    async def _tell_some(self, memory: Memory, account: str) -> bool:
        """Write one notice, and again if it went wrong; say whether there may be more to tell."""
        last = memory.last_notices.get(account)
        after = last.upto if last else 0
        movements = await self._bank.movements(account, after, NOTICE_MOVEMENTS_MAX)
        paid_elsewhere = account not in memory.payers and any(
            movement.kind is Kind.PAYOUT for movement in movements
        )
        if paid_elsewhere:
            self._elsewhere.add(account)
        if paid_elsewhere or not movements:
            return False
        noticed = Noticed(
            account=account,
            number=last.number + 1 if last else 1,
            at=stamp(now()),
            after=after,
            count=len(movements),
            upto=movements[-1].ref,
            first_day=movements[0].booked_on,
        )
        fault = self._faults.take(IsoNoticeFault)
        await self._say(memory, noticed, fault)
        if fault and fault.kind in spoil.PUT_RIGHT:
            noticed.number += 1
            await self._say(memory, noticed)
        return len(movements) == NOTICE_MOVEMENTS_MAX

    async def _say(
        self, memory: Memory, noticed: Noticed, fault: IsoNoticeFault | None = None
    ) -> None:
        while self._folder.has(noticed.name):
            noticed.number += 1
        await memory.keep(noticed)
        await self.write_notice(noticed, fault)

    async def _state(self, account: str, day: date, at: str) -> None:
        async with self._writing:
            await asyncio.to_thread(
                self._folder.put,
                statement_name(account, day),
                camt.statement(account, await self._bank.statement(account, day), at),
            )
