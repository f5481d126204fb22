"""The refusals of the gateway; the same words for everybody, so that they give nothing away."""

from collections.abc import Sequence
from typing import ClassVar

from services.common.errors import Conflict, Invalid, NotFound, Unauthorized, Unavailable
from services.common.kit.problems import FieldError, TooMany


class NotSignedIn(Unauthorized):
    """The bearer token is missing, unknown or expired."""

    code = "NOT_SIGNED_IN"


class LoginRefused(Unauthorized):
    """Name, password or code is wrong, or the account is locked for a while."""

    code = "LOGIN_REFUSED"


class SignatureRefused(Unauthorized):
    """The request is not signed as agreed, is stale, or has been sent before."""

    code = "SIGNATURE_REFUSED"


class CodeRefused(Unauthorized):
    """The phone or the code is wrong, or the code has expired."""

    code = "CODE_REFUSED"


class WeChatRefused(Unauthorized):
    """WeChat does not know this login code, or it has been used."""

    code = "WECHAT_CODE_REFUSED"


class RefreshRefused(Unauthorized):
    """The refresh token is unknown, expired or has been used; sign in again."""

    code = "REFRESH_REFUSED"


class PhoneProofNeeded(Conflict):
    """This WeChat account is bound to no member yet; prove the phone and send the ticket along."""

    code = "PHONE_PROOF_NEEDED"

    def __init__(self, bind_ticket: str, expires_in: int) -> None:
        super().__init__(self.code)
        self.bind_ticket = bind_ticket
        self.expires_in = expires_in


class TicketRefused(Conflict):
    """The bind ticket is unknown, used or expired; begin again with WeChat."""

    code = "BIND_TICKET_REFUSED"


class PhoneNotUnique(Conflict):
    """Several members have this phone, so it cannot tell who signs in."""

    code = "PHONE_NOT_UNIQUE"


class MemberNotFound(NotFound):
    """There is no such member, or not in a unit that this officer sees."""

    code = "UNKNOWN_MEMBER"


class MendCodeUnknown(NotFound):
    """The code or the end of the identity number is wrong, or the code is used up or too old."""

    code = "MEND_CODE_UNKNOWN"


class CardUnchanged(Conflict):
    """This is the card that the bank did not take; give another card or correct the name."""

    code = "CARD_UNCHANGED"


class TooSlow(Invalid):
    """The body stopped coming."""

    code = "BODY_TOO_SLOW"


class BodyBroken(Invalid):
    """The body ended before it was whole."""

    code = "BODY_BROKEN"


class Throttled(TooMany):
    """More requests than this caller may make now."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(self.code)
        self.retry_after_s = retry_after_s


class ServiceUnavailable(Unavailable):
    """A part of the platform does not answer now."""

    code = "SERVICE_UNAVAILABLE"
    retry_after_s: ClassVar[int] = 2


class WeChatUnavailable(Unavailable):
    """WeChat does not answer now."""

    code = "WECHAT_UNAVAILABLE"
    retry_after_s: ClassVar[int] = 2


class ServiceRefused(Exception):
    """A service's own refusal, passed on as it is."""

    def __init__(
        self, status: int, code: str, detail: str | None, errors: Sequence[FieldError]
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
