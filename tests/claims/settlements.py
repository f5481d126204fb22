"""Settlement rows for the tests, with parts that add up."""

from services.claims.model import Settlement
from services.claims.rows import COLUMNS, RowReader, texts_of
from services.common.kit.sealing import BlindIndex
from services.common.money import Fen, parse_yuan, yuan

HASH_KEY = b"a key of the tests"
IDENTITY = BlindIndex(HASH_KEY, "id_number")
READER = RowReader(COLUMNS, hash_key=HASH_KEY, identity=IDENTITY)


def a_row(self_pay_one: str = "2000.00", funds: str = "500.00", **changed: str) -> dict[str, str]:
    """Give a row that is worth this self-pay one; beside it 10.00 stay out of scope."""
    in_scope = Fen(parse_yuan(self_pay_one) + parse_yuan(funds))
    row = {
        "setl_id": "S1",
        "mdtrt_id": "V1",
        "psn_cert_type": "01",
        "certno": "110101199003070011",
        "psn_name": "张国强",
        "insutype": "310",
        "psn_type": "11",
        "fixmedins_code": "H1",
        "fixmedins_name": "第1医院",
        "hosp_lv": "3",
        "med_type": "21",
        "begndate": "2024-03-01",
        "enddate": "2024-03-09",
        "setl_time": "2024-03-09T18:00:00+08:00",
        "dise_codg": "C34.900",
        "dise_name": "肺恶性肿瘤",
        "medfee_sumamt": yuan(Fen(in_scope + 1000)),
        "fulamt_ownpay_amt": "5.00",
        "overlmt_selfpay": "2.00",
        "preselfpay_amt": "3.00",
        "inscp_scp_amt": yuan(in_scope),
        "act_pay_dedc": "0.00",
        "hifp_pay": funds,
        "hifob_pay": "0.00",
        "fund_pay_sumamt": funds,
        "psn_part_amt": yuan(Fen(parse_yuan(self_pay_one) + 1000)),
        "copay_pooled": "0.00",
        "copay_large_sum": "0.00",
        "refd_setl_flag": "0",
    }
    return row | changed


def a_settlement(self_pay_one: str = "2000.00", **changed: str) -> Settlement:
    read = READER.read(texts_of(a_row(self_pay_one, **changed)))
    assert isinstance(read, Settlement), read
    return read
