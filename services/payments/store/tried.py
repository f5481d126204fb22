"""The views of all attempts, as they are joined: looked into row by row, by the key they go by.

They are unions, which PostgreSQL joins by reading them whole. Fenced off by `offset 0`, a key that
comes from the row before is handed into each part.
"""


def attempt_of(row: str) -> str:
    """Give the attempt that a row names by payout and number; to be joined `on true`."""
    return (
        "lateral (select * from attempt t"  # noqa: S608 - the name of a row
        f" where t.payout_id = {row}.payout_id and t.attempt_no = {row}.attempt_no offset 0)"
    )


def attempts_of(batch: str) -> str:
    """Give the attempts of a batch, which is told by its id; to be joined `on true`."""
    return f"lateral (select * from batch_attempt t where t.batch_id = {batch} offset 0)"  # noqa: S608 - a column
