"""A text's id begins as its payout's does, so that its index grows at its end."""

from services.common.kit import migrate

revision = "0008"
down_revision = "0007"

# Ten bytes of the payout's id, then the last six of what the text's id was before.
NEW_IDS = """
    create temporary table new_ids on commit drop as
    select message_id,
           (substr(payout_id::text, 1, 23) || substr(message_id::text, 24))::uuid as new_id
    from message
    """
STATEMENTS = (
    NEW_IDS,
    "create unique index on new_ids (message_id)",
    "analyze new_ids",
    """
    update dispatch d
    set message_ids = array(
        select coalesce(n.new_id, u.message_id)
        from unnest(d.message_ids) with ordinality as u(message_id, place)
        left join new_ids n using (message_id) order by u.place)
    """,
    "update waiting w set message_id = n.new_id from new_ids n where n.message_id = w.message_id",
    "update mend_code c set message_id = n.new_id from new_ids n where n.message_id = c.message_id",
    "update message g set message_id = n.new_id from new_ids n where n.message_id = g.message_id",
    "drop table new_ids",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
