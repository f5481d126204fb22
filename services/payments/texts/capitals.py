"""An amount in capitals (大写), as China's receipts have it, so that no digit can be changed."""

from typing import Final

from services.common.money import Fen

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("仟", "佰", "拾", "")
_GROUPS: Final = ("兆", "亿", "万", "")
_GROUP: Final = 10_000


def capitals(amount: Fen) -> str:
    """Write an amount of 0 fen or more, below 10,000 兆 yuan.

    By the Ministry's rules for bills: zeros between digits are one 零, also where fen follow yuan
    without jiao; 整 ends what has no fen.
    """
    yuan, fen = divmod(amount, 100)
    jiao, fen = divmod(fen, 10)
    said = f"{_whole(yuan)}元" if yuan or not (jiao or fen) else ""
    if jiao:
        said += f"{_DIGITS[jiao]}角"
    elif fen and yuan:
        said += "零"
    return f"人民币{said}{_DIGITS[fen]}分" if fen else f"人民币{said}整"


def _whole(yuan: int) -> str:
    groups = [yuan // _GROUP**place % _GROUP for place in (3, 2, 1, 0)]
    said = ""
    skipped = False
    for group, name in zip(groups, _GROUPS, strict=True):
        if not group:
            skipped = True
            continue
        if said and (skipped or group < _GROUP // 10):
            said += "零"
        said += _group(group) + name
        skipped = False
    return said or "零"


def _group(number: int) -> str:
    said = ""
    skipped = False
    for digit, place in zip(f"{number:04d}", _PLACES, strict=True):
        if digit == "0":
            skipped = True
            continue
        said += "零" * (skipped and bool(said)) + _DIGITS[int(digit)] + place
        skipped = False
    return said
