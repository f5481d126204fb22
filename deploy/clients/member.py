"""How a member's app signs in: a WeChat code where the account is bound, else a text's code."""

from dataclasses import dataclass
from http import HTTPStatus

import httpx


@dataclass
class Member:
    """A member's session with the gateway; `client` has the gateway as its base_url."""

    client: httpx.AsyncClient
    bind_ticket: str | None = None

    async def by_wechat(self, code: str) -> bool:
        """Sign in with WeChat; false means that the phone has to be proved first."""
        answer = await self.client.post("/api/v1/auth/wechat", json={"code": code})
        if answer.status_code == HTTPStatus.CONFLICT:
            self.bind_ticket = str(answer.json()["bind_ticket"])
            return False
        self._enter(answer)
        return True

    async def ask_code(self, phone: str) -> None:
        answer = await self.client.post("/api/v1/auth/sms-code", json={"phone": phone})
        answer.raise_for_status()

    async def by_code(self, phone: str, code: str) -> None:
        """Sign in with the code of the text, and bind the WeChat account of before."""
        told = {"phone": phone, "code": code}
        if self.bind_ticket is not None:
            told["bind_ticket"] = self.bind_ticket
        self._enter(await self.client.post("/api/v1/auth/sms", json=told))

    def _enter(self, answer: httpx.Response) -> None:
        answer.raise_for_status()
        self.client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
