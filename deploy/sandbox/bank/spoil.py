"""How a result file goes wrong on its way to the customer; the one on the disk stays right."""

import secrets

from deploy.sandbox.bank.batchfile import ENCODING, fen, yuan


def spoil(kind: str, result: bytes) -> bytes:
    match kind:
        case "truncated":
            return result[: len(result) * 2 // 3]
        case "garbage":
            return secrets.token_bytes(len(result))
        case "wrong_control_sum":
            return _wrong_control_sum(result)
        case "line_in_process":
            return _line_in_process(result)
        case _:
            raise ValueError(kind)


def _wrong_control_sum(result: bytes) -> bytes:
    *lines, trailer, end = result.decode(ENCODING).split("\r\n")
    count, total, *refused = trailer.split("|")
    wrong = "|".join([count, yuan(fen(total) + 1), *refused])
    return "\r\n".join([*lines, wrong, end]).encode(ENCODING)


def _line_in_process(result: bytes) -> bytes:
    """Show the first line as still in process; the trailer counts what is final."""
    header, line, *lines, trailer, end = result.decode(ENCODING).split("\r\n")
    *sent, status, _code, _words, _serial, _day = line.split("|")
    counts = trailer.split("|")
    place = 0 if status == "0" else 2
    counts[place] = str(int(counts[place]) - 1)
    counts[place + 1] = yuan(fen(counts[place + 1]) - fen(sent[3]))
    waiting = "|".join([*sent, "2", "9999", "处理中", "", ""])
    return "\r\n".join([header, waiting, *lines, "|".join(counts), end]).encode(ENCODING)
