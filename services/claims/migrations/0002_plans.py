"""A claim is judged by every plan of its member: verdicts, sums and facts by plan."""

from services.common.kit import migrate

revision = "0002"
down_revision = "0001"

# A step of a working named clause and source; now it names the figure, which has both.
WORKING = """
    (select jsonb_agg(jsonb_build_array(part->>0, 'medical', (
        select jsonb_agg(jsonb_build_array(
            case step->>0 when 'deductible' then 'floor' else step->>0 end,
            '', step->3, step->4, step->5))
        from jsonb_array_elements(part->1) as step)))::text
     from jsonb_array_elements(working::jsonb) as part)
"""

STATEMENTS = (
    """
    alter table member
        add column born date,
        add column sex text,
        add column groups text[] not null default '{}'
    """,
    "alter table member alter column groups drop default",
    "alter table settlement add column plans text, add column facts bytea",
    # Until now there was one plan, its benefit called medical. What counted was not priced: it cost
    # the member its burden at least, so that no other plan finds more granted than was paid.
    f"update settlement set working = coalesce({WORKING}, '[]')",  # noqa: S608 - a text of ours
    """
    update settlement set facts = '', plans = (
        select coalesce(jsonb_agg(jsonb_build_array(
            part->>0, 'medical', null, benefit_fen, part->>1,
            jsonb_build_object(
                'kind', part->2->>'kind', 'amount', (part->2->>'burden')::bigint,
                'cost', (part->2->>'burden')::bigint))), '[]')::text
        from jsonb_array_elements(counted::jsonb) as part)
    """,
    f"update benefit_grant set working = {WORKING} where working is not null",  # noqa: S608 - as above
    """
    alter table settlement
        alter column plans set not null,
        alter column facts set not null,
        drop column counted
    """,
    "alter table accumulator add column totals text",
    """
    update accumulator set totals = jsonb_build_object(
        'sums', burdens::jsonb,
        'granted', jsonb_build_object('medical', granted_fen),
        'grants', grants,
        'cost', (select coalesce(sum(value::bigint), 0) from jsonb_each_text(burdens::jsonb))
    )::text
    """,
    """
    alter table accumulator
        alter column totals set not null,
        drop column burdens,
        drop column granted_fen,
        drop column grants
    """,
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
