"""Waiting until nothing is under way: all payouts final, all texts sent."""

from dataclasses import dataclass

from deploy.demo import books, show
from deploy.demo.actors import Json, Staff
from deploy.demo.patience import until


@dataclass
class Quiet:
    """Knows how many transfers have failed so far, because each of them is told to people."""

    admin: Staff
    refused: int = 0
    returned: int = 0

    async def reached(self) -> None:
        progress = show.Progress()

        async def quiet() -> Json | None:
            here = await self.admin.books()
            payouts = here["payments"]["payouts_by_state"]
            sent = here["notify"]["messages_by_state"].get("sent", 0)
            counted = f"已付 {payouts.get('paid', 0)}/{here['claims']['grants']} 笔,短信 {sent} 条"
            if not books.is_quiet(here, self.refused, self.returned):
                progress.show(counted)
                return None
            progress.done(counted)
            return here

        await until("all payouts final and all texts sent", quiet, poll_s=0.1)
