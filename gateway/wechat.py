"""WeChat's login: a code from the mini program becomes an openid; nothing else of it is kept."""

from pydantic import BaseModel, ValidationError

from gateway.errors import WeChatRefused, WeChatUnavailable
from gateway.settings import Settings
from services.common.kit.http import AnswerLost, Client, ClientBounds, Unreachable

_CODE_INVALID = frozenset({40029, 40163, 41008})  # unknown, used before, missing


class _Session(BaseModel):
    """The answer holds a session_key as well; it is not even parsed."""

    openid: str = ""
    errcode: int = 0


class WeChat:
    def __init__(self, settings: Settings) -> None:
        bounds = ClientBounds(timeout_s=settings.wechat_timeout_s, answer_bytes_max=64 * 1024)
        self.client = Client("wechat", settings.wechat_url, bounds)
        self._appid = settings.wechat_appid
        self._secret = settings.wechat_secret

    async def openid(self, code: str) -> str:
        """Exchange a login code, which WeChat takes once."""
        asked = {
            "appid": self._appid,
            "secret": self._secret.get_secret_value(),
            "js_code": code,
            "grant_type": "authorization_code",
        }
        try:
            answer = await self.client.request("GET", "/sns/jscode2session", params=asked)
            session = _Session.model_validate_json(answer.body)
        except (Unreachable, AnswerLost, ValidationError) as error:
            raise WeChatUnavailable from error
        if session.errcode in _CODE_INVALID:
            raise WeChatRefused
        if session.errcode or not session.openid:
            raise WeChatUnavailable
        return session.openid
