"""All routes of payments."""

from fastapi import APIRouter

from services.payments.api.acts import act_routes
from services.payments.api.batches import batch_routes
from services.payments.api.ledger import ledger_routes, paper_routes
from services.payments.api.payouts import payout_routes
from services.payments.api.receipts import receipt_routes
from services.payments.api.statements import statement_routes
from services.payments.usecases.desk import Desk


def routes(desk: Desk) -> APIRouter:
    """Give the routes of payments."""
    router = APIRouter()
    payout_routes(router, desk)
    batch_routes(router, desk)
    act_routes(router, desk)
    receipt_routes(router, desk)
    statement_routes(router, desk)
    ledger_routes(router, desk)
    paper_routes(router, desk)
    return router
