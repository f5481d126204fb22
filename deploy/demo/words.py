"""What the platform's codes are called to people; the code itself stays beside the words."""

import re

_PARAGRAPH = re.compile(r"para\. (\d+)")

CODES = {
    # Why a row is refused.
    "MISSING_FIELD": "缺少必填项",
    "BAD_AMOUNT": "金额格式不对",
    "BAD_DATE": "日期不对",
    "SUMS_MISMATCH": "金额合计不平",
    "ID_CHECK_DIGIT": "身份证号校验不符",
    "UNKNOWN_MEMBER": "查无此会员",
    "NOT_IN_SERVICE": "不是在职人员",
    "CONFLICTING_CONTENT": "同号内容不同",
    "REFUND_MISMATCH": "冲销与原单不符",
    "FOREIGN_HOSPITAL": "不是本院的单据",
    # Why a plan pays nothing, or less than its formula gives.
    "AT_OR_BELOW_DEDUCTIBLE": "没有超过起付线",
    "CAP_PERIOD": "达到本保障期限额",
    "CAP_OWN_COST": "以个人所付为限",
    "SCHEME_FIGURE_MISSING": "规定还没有公布",
    # Why the bank gives money back.
    "NAME_DIFFERS": "户名与银行卡不符",
    "ACCOUNT_CLOSED": "账户已销户",
    # Why a draft is not published.
    "SAME_PERSON": "起草人不能自己发布",
    "EDITION_CHANGES_THE_PAST": "改动了已经执行的规定,只能从明天起改",
    # Why somebody at finance is stopped.
    "APPROVED_ALREADY": "已复核过,要换一个人",
    "ACT_IMPOSSIBLE": "现在办不了",
    "NOT_ALLOWED": "不是这个岗位的事",
    # What finance finds on the bank's statement.
    "UNEXPECTED_DEPOSIT": "没有人预告的来款",
    # What a member or an officer is told at the counter.
    "PHONE_PROOF_NEEDED": "首次登录,需验证手机号",
    "MEND_CODE_UNKNOWN": "更正码或后四位不对,或已用过",
}
# A figure without which a plan cannot run.
FIGURES = {"periods": "保障期"}
STATES = {
    "settled": "给付",
    "reversed": "已冲销",
    "rejected": "不给付",
    "refused": "退回",
    "returned": "退票",
    "paid": "已到账",
    # How far a batch is.
    "awaiting_approval": "等待复核",
    "fixed": "复核齐全,可以发出",
    "voided": "作废",
    "closed": "银行已办结",
    # The stations of a claim.
    "received": "收到结算单",
    "created": "建立打款",
    "batched": "编入银行批次",
    "text_sent payout_paid": "到账短信已发",
    "text_sent payout_refused_member": "退回短信已发",
    "text_sent payout_returned_member": "退票短信已发",
}
# What money stands for that comes in or goes out.
ACCOUNTS = {
    "member_contributions": "会员互助费",
    "union_subsidy": "工会补助",
    "membership_fees": "会费",
    "allotted": "总会划拨",
    "handed_up": "上交总会",
}
STATION_NAMES = {"settled": "核定", "paid": "到账"}


def coded(code: str) -> str:
    """Give a code's words with the code behind them."""
    return f"{CODES[code]} {code}" if code in CODES else code


def state(name: str) -> str:
    return STATES.get(name, name)


def station(name: str) -> str:
    """Name what happened to a claim at one time."""
    return STATION_NAMES.get(name) or state(name)


def clause(text: str | None) -> str:
    """Say in brackets where in its document a figure stands."""
    return "〔" + _PARAGRAPH.sub(r"第\1段", text) + "〕" if text else ""
