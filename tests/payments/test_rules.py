"""How much is open, who gives back, where an overpayment lies."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.common.kit import clock
from services.common.money import Fen
from services.payments.model.owed import AccountKey, Balance
from services.payments.model.payouts import Payout, PayoutState
from services.payments.rules.owed import Books, repaid, take_from_newest, to_recover
from services.payments.rules.refusals import refusal_for

ACCOUNT = AccountKey(new_id(), "bj.mutual")
YEARS = st.dictionaries(
    st.integers(2012, 2030),
    st.tuples(st.integers(-10_000, 10_000).map(Fen), st.integers(0, 10_000).map(Fen)),
    max_size=8,
)


def payout(amount_fen: int) -> Payout:
    return Payout(
        payout_id=new_id(),
        member_id=ACCOUNT.member_id,
        scheme_id=ACCOUNT.scheme_id,
        claim_id=new_id(),
        period=2018,
        grant_fen=Fen(amount_fen),
        amount_fen=Fen(amount_fen),
        state=PayoutState.READY,
        version=1,
        created_at=clock.now(),
    )


@given(YEARS)
def test_the_years_shares_add_up_to_what_was_paid_too_much(
    years: dict[int, tuple[Fen, Fen]],
) -> None:
    shares = to_recover(years)
    overpaid = sum(paid - granted for granted, paid in years.values())
    assert sum(shares.values()) == max(0, overpaid)
    for year, (granted, paid) in years.items():
        assert 0 <= shares[year] <= max(0, paid - granted)


@given(YEARS)
def test_an_overpayment_lies_in_the_newest_years_that_have_one(
    years: dict[int, tuple[Fen, Fen]],
) -> None:
    shares = to_recover(years)
    for year, share in shares.items():
        granted, paid = years[year]
        if share < max(0, paid - granted):
            assert all(shares[older] == 0 for older in years if older < year)


@given(st.lists(st.integers(1, 1_000), max_size=10), st.data())
def test_what_is_taken_comes_from_the_newest_and_to_the_fen(
    amounts: list[int], data: st.DataObject
) -> None:
    payouts = [payout(amount) for amount in amounts]
    taken = data.draw(st.integers(0, sum(amounts)))
    changed = take_from_newest(payouts, taken)
    assert sum(p.amount_fen for p in payouts) == sum(amounts) - taken
    assert all((p.amount_fen == 0) == (p.state is PayoutState.CANCELLED) for p in payouts)
    untouched = len(payouts) - len(changed)
    assert [p.amount_fen for p in payouts[:untouched]] == amounts[:untouched]
    assert all(p.amount_fen == 0 for p in payouts[untouched + 1 :])


@given(st.lists(st.integers(-1_000, 1_000), max_size=20))
def test_open_payouts_grow_to_what_is_owed_and_never_beyond(grants: list[int]) -> None:
    books = Books([(ACCOUNT, Balance(0, 0, 0))])
    opened = sum(books.move(ACCOUNT, granted=amount) for amount in grants)
    assert opened == max(0, sum(grants))


def test_a_reason_nobody_has_listed_is_for_finance() -> None:
    assert refusal_for("NAME_DIFFERS").actor == "unit"
    assert refusal_for("ACCOUNT_CLOSED").actor == "member"
    assert refusal_for("SOMETHING_NEW") == ("SOMETHING_NEW", "finance")


@given(years=YEARS, part=st.integers(0, 100))
def test_what_is_repaid_lessens_what_is_to_be_recovered_and_leaves_the_newest_shares(
    years: dict[int, tuple[Fen, Fen]], part: int
) -> None:
    before = to_recover(years)
    recovered = Fen(sum(before.values()) * part // 100)
    after = to_recover(repaid(years, recovered))
    assert sum(after.values()) == sum(before.values()) - recovered
    lessened = [year for year in before if after[year] < before[year]]
    kept = [year for year in before if after[year] == before[year] > 0]
    assert not lessened or not kept or max(lessened) < min(kept)
