"""The sums of payments' books."""

from pydantic import BaseModel


class BooksOut(BaseModel):
    """Sums over all rows, and what is not finished."""

    granted_fen: int
    paid_fen: int
    in_flight_fen: int
    open_fen: int
    to_recover_fen: int
    ledger: dict[str, int]
    payouts_by_state: dict[str, int]
    payouts_queued: int
    batches_open: int
    bank_exceptions: int
    payouts_in_doubt: int
    payouts_held: int
    funds_low: int
    events_pending: int
    dead_letters: int
