"""The knobs of claims, each with its unit in its name."""

from pydantic import PositiveFloat, PositiveInt

from services.common.kit.settings import Port, ServiceSettings, knobs


class Settings(ServiceSettings):
    """Read from the environment with the prefix `CLAIMS_`."""

    model_config = knobs("CLAIMS_")

    port: Port = 8102
    feed_bytes_max: PositiveInt = 4 * 1024**3
    # A chunk is one transaction; its size follows the CPU time it takes, between these bounds.
    chunk_rows_min: PositiveInt = 50
    chunk_rows_max: PositiveInt = 5_000
    chunk_cpu_ms: PositiveInt = 150
    feed_poll_ms: PositiveInt = 200
    # The feed waits while our relay, payments or notify need longer than this for what lies before
    # them already: so long a person's settlement stands behind the feed's.
    feed_lag_ms_max: PositiveInt = 500
    # How long a hospital's post waits for a roster that is still on its way.
    member_wait_s: PositiveFloat = 2.0
    review_poll_ms: PositiveInt = 500
    refusals_shown_max: PositiveInt = 1_000_000
    # A scheme file that somebody has changed.
    draft_bytes_max: PositiveInt = 1024**2
    drafts_shown_max: PositiveInt = 100
    # Every process looks this often whether an edition was published; one begins tomorrow or later.
    editions_poll_ms: PositiveInt = 3_000
    backtest_poll_ms: PositiveInt = 500
    backtest_processes: PositiveInt = 2
    # A part is what one process reads and judges at a time.
    backtest_part_members: PositiveInt = 10_000
    # A part is read by one statement, from disk perhaps; nobody waits for it.
    backtest_read_timeout_s: PositiveFloat = 60.0
    # So many members' claims are judged by the figures in force as well: that must change nothing.
    backtest_check_members: PositiveInt = 10_000
