"""docs/schemes-how-to-change.md: one line of a scheme is changed and tried on made-up claims."""

from collections.abc import Iterator
from difflib import unified_diff
from typing import Final

from deploy.demo import weihai
from services.claims.backtest import table
from services.claims.backtest.replay import Past, Patient, replay
from services.claims.backtest.report import Asked, Report
from services.claims.backtest.tally import Tally
from services.claims.backtest.trial import Trial, whole_periods
from services.claims.model import Brought, Coverage, InPlan, PeriodKey, Person, Settlement, Totals
from services.claims.rows import COLUMNS, RowReader, texts_of
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.common.identity import IdNumber, born_on, sex_of
from services.common.ids import derived_id
from services.common.kit.sealing import BlindIndex
from services.common.money import parse_yuan
from services.common.period import Days
from services.common.schemes.load import DATA, load_rulebook, read
from services.common.schemes.rulebook import Rulebook

FILE: Final = f"{weihai.SCHEME}.yaml"
COVERED_SINCE: Final = weihai.FIRST_DAY
DAYS: Final = Days(weihai.FIRST_DAY, weihai.LAST_DAY)
FUND: Final = parse_yuan("6000000.00")
# The floor of period 14, on its line.
_WAS: Final = '{value: "8000.00", valid_from: 2022-11-01,'
_BECOMES: Final = '{value: "6000.00", valid_from: 2022-11-01,'

PAGE: Final = """# How to change a scheme

A scheme is a file, `services/common/schemes/data/<scheme>.yaml`: every figure with its days, its
clause and its document ([all schemes](schemes/README.md)). Changing a rule is changing a line;
what that costs is known before anybody decides. As an example, the floor of `wh.medical` in period
14 goes from 8000.00 to 6000.00:

```diff
{diff}```

**Try it out.** On the books of an installation, nothing being written:

```sh
python -m services.claims backtest --scheme {scheme} --draft {file} \\
    --from {starts} --to {ends} --fund {fund} --svg change.svg
```

The same without a terminal: `POST /api/v1/staff/schemes/{scheme}/drafts` with the text answers
with what it changes and which worked cases come out otherwise (here those of period 14: they say
what was promised, so they are corrected or the figure is); `POST …/backtest` with the draft and
the days queues a backtest, and `GET /api/v1/staff/backtests/<id>`, `…/table.txt` and
`…/picture.svg` show it. This is the table for made-up members (`deploy/demo/weihai.py`); winners
and losers are members, the changes of one summed first:

```text
{table}```

The claims are judged by the engine that pays, in the order in which they were decided, from the
beginning of their periods. Other plans stay as they were booked. The check judges some members by
the figures in force: it must find nothing. With `--as-of 2027-01-01` every claim is judged by the
draft's figures of that day: so next year's figures are tried on this year's claims.

**Publish it.** `POST /api/v1/staff/schemes/{scheme}/drafts/<id>/publish`, by somebody else than
its author, once it has a backtest and its worked cases agree. An edition begins tomorrow or later
and leaves every figure as it was up to today, so nothing that was settled ever changes; this
example, about a period long past, is tried but refused (`EDITION_CHANGES_THE_PAST`). A figure that
changes gets an end, and a new line with the new value, its first day, and a worked case. Where a
scheme's `enrolment.figures_of` is `term_start`, covers keep the figures of the day their term
began. Every process takes an edition up within seconds, and keeps it for ever; [decision
15](decisions/0015-editions-and-backtest.md) has the reasons.
"""


def text() -> str:
    before = (DATA / FILE).read_text(encoding="utf-8")
    after = changed(before)
    lines = unified_diff(before.splitlines(), after.splitlines(), FILE, FILE, n=1, lineterm="")
    return PAGE.format(
        diff="".join(f"{line}\n" for line in lines),
        scheme=weihai.SCHEME,
        file=FILE,
        starts=DAYS.starts,
        ends=DAYS.ends,
        fund=f"{FUND // 100}.00",
        table=table.text(backtest(after)),
    )


def changed(scheme_file: str) -> str:
    """Change the one line."""
    assert scheme_file.count(_WAS) == 1, "the floor of period 14 is one line"
    return scheme_file.replace(_WAS, _BECOMES)


def backtest(draft: str) -> Report:
    """Try a draft on the made-up members, without any database."""
    in_force = load_rulebook()
    trial = Trial(read(draft.encode(), FILE), in_force)
    check = Trial(in_force.scheme(weihai.SCHEME), in_force)
    tally = Tally()
    for patient, claims in _stories(in_force):
        tally.add(patient, replay(patient, claims, trial), DAYS)
        tally.check.add(replay(patient, claims, check))
    read_days = whole_periods(trial.rulebook, DAYS.starts, weihai.LAST_DAY)
    return Report(Asked(weihai.SCHEME, DAYS, fund=FUND), read_days, tally)


def _stories(in_force: Rulebook) -> Iterator[tuple[Patient, list[Past]]]:
    """Settle the claims of each member as they came."""
    identity = BlindIndex(b"made up", "id_number")
    reader = RowReader(COLUMNS, hash_key=b"made up", identity=identity)
    read_rows = [reader.read(texts_of(row)) for row in weihai.settlements()]
    settlements = [one for one in read_rows if isinstance(one, Settlement)]
    assert len(settlements) == len(read_rows), "made-up rows are whole"
    for member in weihai.members():
        number = IdNumber(member.person.id_number)
        patient = Patient(
            derived_id("member", member.person.id_number),
            member.unit,
            Person(born_on(number), sex_of(number)),
            [Coverage(weihai.SCHEME, Days(COVERED_SINCE))],
        )
        index = identity.of(member.person.id_number)
        mine = [one for one in settlements if one.identity_index == index]
        yield patient, list(_settled(patient, mine, in_force))


def _settled(patient: Patient, mine: list[Settlement], in_force: Rulebook) -> Iterator[Past]:
    totals: dict[PeriodKey, Totals] = {}
    for settlement in mine:
        facts = settlement.facts
        found = cases(patient.member_id, facts, patient.person, patient.coverages, in_force)
        assert isinstance(found, Brought), found
        (assessed,) = assess([found], totals)
        plans = tuple(
            InPlan(
                a.scheme_id, a.benefit_name, a.code, a.benefit, a.key and a.key.starts, a.counted
            )
            for a in assessed
        )
        yield Past(derived_id("claim", settlement.key.setl_id), facts, plans)
