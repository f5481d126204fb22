"""The papers of the stand-ins: what the gateway reads and sends is what the services speak."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gateway.schemas import benefits, finance, hospital, member, mend, schemes, staff
from services.claims.schemas import backtest, claims, editions
from services.claims.schemas import benefits as claims_benefits
from services.enrollment import schemas as enrollment
from services.notify import schemas as notify
from services.payments.schemas import acts, batches, ledger, payouts, statements

READ: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (staff.UnitOut, enrollment.UnitOut),
    (staff.RosterAccepted, enrollment.RosterReceived),
    (staff.RosterOut, enrollment.RosterOut),
    (staff.PayeeOut, enrollment.PayeeOut),
    (staff.MemberFound, enrollment.MemberFound),
    (staff.MemberUnit, enrollment.MemberOut),
    (member.MembersFound, enrollment.MembersFound),
    (member.MeOut, enrollment.MemberOut),
    (member.Coverages, enrollment.CoveragesOut),
    (staff.FeedAccepted, claims.FeedReceived),
    (staff.FeedOut, claims.FeedOut),
    (staff.Granted, claims.Granted),
    (benefits.Owner, claims.Owner),
    (benefits.LeftOut, claims_benefits.LeftOut),
    (benefits.ExpectedOut, claims_benefits.ExpectedOut),
    (schemes.Schemes, editions.Schemes),
    (schemes.SchemeOut, editions.SchemeOut),
    (schemes.DraftOut, editions.DraftOut),
    (schemes.DraftSeen, editions.DraftSeen),
    (schemes.EditionOut, editions.EditionOut),
    (schemes.BacktestAsked, backtest.BacktestAsked),
    (schemes.BacktestOut, backtest.BacktestOut),
    (hospital.SettlementResults, claims.Results),
    (hospital.SettlementResult, claims.SettlementOut),
    (member.ClaimLines, claims.ClaimPage),
    (member.ClaimOut, claims.ClaimOut),
    (staff.RefusedPayouts, payouts.RefusalsOut),
    (staff.Paid, payouts.BenefitsOut),
    (finance.PayoutBatches, batches.BatchesOut),
    (finance.BatchState, batches.BatchStateOut),
    (finance.Doubts, batches.DoubtsOut),
    (finance.BankExceptions, batches.ExceptionsOut),
    (finance.Funds, batches.FundsOut),
    (finance.ActProposed, acts.ActProposed),
    (finance.ReceiptsEntered, statements.ReceiptsEntered),
    (finance.Receipts, statements.ReceiptsOut),
    (finance.StatementLines, statements.LinesOut),
    (finance.Reconciliation, statements.ReconciliationOut),
    (finance.TrialBalance, ledger.TrialBalanceOut),
    (finance.FundStatement, ledger.FundStatementOut),
    (finance.LedgerDays, ledger.LedgerDaysOut),
    (member.PayoutLines, payouts.PayoutsOut),
    (member.MessageLines, notify.MessagesOut),
    (mend.Mendable, notify.MendableOut),
    (mend.Proved, enrollment.MemberOut),
    (mend.CardTaken, enrollment.PayeeOut),
]
SENT: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (staff.UnitIn, enrollment.UnitIn),
    (staff.OfficerIn, enrollment.OfficerIn),
    (staff.PayeeIn, enrollment.PayeeIn),
    (staff.MemberSearchIn, enrollment.MemberSearch),
    (finance.ApprovalIn, batches.ApprovalIn),
    (finance.ActIn, acts.ActIn),
    (finance.ReceiptsIn, statements.ReceiptsIn),
    (finance.ReceiptIn, statements.ReceiptIn),
    (mend.CodeAsked, notify.MendCodeIn),
    (mend.ProofAsked, enrollment.ProofIn),
    (mend.CardAsked, enrollment.PayeeIn),
    (benefits.Bill, claims_benefits.BillIn),
    (schemes.DraftIn, editions.DraftIn),
    (schemes.BacktestIn, backtest.BacktestIn),
]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _unspoken(ours: type[BaseModel], theirs: type[BaseModel]) -> Iterator[str]:
    """Name the fields that are shown here and not said there, at every depth."""
    for name, told in ours.model_fields.items():
        if name not in theirs.model_fields:
            yield f"{ours.__name__}.{name}"
            continue
        said = theirs.model_fields[name]
        pairs = zip(_models_in(told.annotation), _models_in(said.annotation), strict=True)
        for inner, outer in pairs:
            yield from _unspoken(inner, outer)


@pytest.mark.parametrize(("ours", "theirs"), READ, ids=lambda model: model.__name__)
def test_what_is_shown_is_said_by_the_service(
    ours: type[BaseModel], theirs: type[BaseModel]
) -> None:
    assert not list(_unspoken(ours, theirs))


@pytest.mark.parametrize(("ours", "theirs"), SENT, ids=lambda model: model.__name__)
def test_what_is_sent_is_taken_by_the_service(
    ours: type[BaseModel], theirs: type[BaseModel]
) -> None:
    required = {name for name, field in theirs.model_fields.items() if field.is_required()}
    assert set(ours.model_fields) <= set(theirs.model_fields)
    assert required <= {name for name, field in ours.model_fields.items() if field.is_required()}


def test_a_login_code_is_sent_as_notify_takes_it() -> None:
    assert set(notify.CodeIn.model_fields) == {"phone", "code", "minutes"}
    assert set(enrollment.PhoneSearch.model_fields) == {"phone"}
