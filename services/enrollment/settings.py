"""The knobs of enrollment, each with its unit in its name."""

from pathlib import Path

from pydantic import PositiveFloat, PositiveInt

from services.common.kit.settings import Port, ServiceSettings, knobs
from services.common.kit.uploads import UploadBounds


class Settings(ServiceSettings):
    model_config = knobs("ENROLLMENT_")

    port: Port = 8101
    roster_bytes_max: PositiveInt = 256 * 1024 * 1024
    roster_idle_timeout_s: PositiveFloat = 30.0
    roster_chunk_rows: PositiveInt = 2_000
    roster_poll_ms: PositiveInt = 500
    roster_retry_pause_ms: PositiveInt = 500
    roster_stall_s: PositiveFloat = 120.0
    roster_errors_shown_max: PositiveInt = 1_000

    @property
    def rosters_dir(self) -> Path:
        return self.var_dir / "data" / "enrollment" / "rosters"

    @property
    def roster_bounds(self) -> UploadBounds:
        return UploadBounds(
            file_bytes_max=self.roster_bytes_max, idle_timeout_s=self.roster_idle_timeout_s
        )
