"""Why the bank refuses: a line by four digits, a whole file by F and three.

0001 户名不符        the account is known under another name
0002 账户已销户      the account is closed
0003 账户冻结        the account is frozen
0004 余额不足        the paying account does not hold the amount
0005 超限额          the amount is above the limit of one line
0006 账号不存在      the account number is not 6 to 32 digits
0007 币种不支持      the batch is in another currency than CNY
0008 企业流水号重复  the instruction id has been booked already; the money moved then

F001 文件名不合规    the name is not DF_<unit>_<yyyymmdd>_<seq>.txt
F002 编码不可识别    the file is not GB18030
F003 文件头不合规    the header is not six fields of the right form, or its date is not one
F004 明细行不合规    a line is not nine fields of the right form, or the end is missing
F005 序号不连续      the lines are not numbered 1, 2, 3 …
F006 总笔数不符      the header announces another number of lines
F007 总金额不符      the header announces another sum
F008 笔数超限        the file holds more lines than the bank takes

D001 文件名重复      another file came under this name before (409)
D002 重复批次        another file came under this batch number before (409)
"""

from enum import Enum


class LineReason(Enum):
    NAME_DIFFERS = ("0001", "户名不符")
    CLOSED = ("0002", "账户已销户")
    FROZEN = ("0003", "账户冻结")
    NO_FUNDS = ("0004", "余额不足")
    OVER_LIMIT = ("0005", "超限额")
    NO_SUCH_ACCOUNT = ("0006", "账号不存在")
    CURRENCY = ("0007", "币种不支持")
    INSTRUCTION_BOOKED = ("0008", "企业流水号重复")

    def __init__(self, code: str, words: str) -> None:
        self.code = code
        self.words = words


class FileReason(Enum):
    NAME = ("F001", "文件名不合规")
    ENCODING = ("F002", "编码不可识别")
    HEADER = ("F003", "文件头不合规")
    LINE = ("F004", "明细行不合规")
    NUMBERING = ("F005", "序号不连续")
    COUNT = ("F006", "总笔数不符")
    SUM = ("F007", "总金额不符")
    TOO_LONG = ("F008", "笔数超限")
    NAME_TAKEN = ("D001", "文件名重复")
    BATCH_TAKEN = ("D002", "重复批次")

    def __init__(self, code: str, words: str) -> None:
        self.code = code
        self.words = words


class FileRefused(Exception):
    """The whole file is refused; the batch number is told where the header could be read."""

    def __init__(self, reason: FileReason, batch: str | None = None) -> None:
        super().__init__(reason.words)
        self.reason = reason
        self.batch = batch
