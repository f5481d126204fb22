"""What of each fund waits for a person; few rows at any time."""

from services.common.kit.db import Unit
from services.payments.model.reports import OpenItems


async def by_fund(unit: Unit) -> dict[str, OpenItems]:
    """Count what is open by fund; what belongs to none that can be told stands under ''."""
    rows = await unit.fetch(
        """
        with waiting as (
            select coalesce(b.fund_id, l.fund_id, '') as fund_id, 1 as exception, 0 as line,
                   0 as doubt
            from bank_exception e left join batch b using (batch_id)
                left join bank_line l on l.line_id = e.batch_id
            where e.settled_at is null
            union all
            select fund_id, 0, 1, 0 from bank_line where state = 'exception'
            union all
            select b.fund_id, 0, 0, 1 from doubt d join batch b using (batch_id))
        select fund_id, sum(exception)::int, sum(line)::int, sum(doubt)::int
        from waiting group by fund_id
        """
    )
    return {row[0]: OpenItems(*row[1:]) for row in rows}
