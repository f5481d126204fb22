"""The knobs of the sandbox: environment variables that begin with SANDBOX_."""

from decimal import Decimal
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

BESIDE_THE_CODE = Path(__file__).parent


class SandboxSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SANDBOX_")

    host: str = "127.0.0.1"
    port: int = 8190
    data_dir: Path = Path("var/data/sandbox")

    bank_opening_balance_yuan: Decimal = Decimal("10000000000.00")
    bank_line_limit_yuan: Decimal = Decimal("10000000000.00")
    # One for each kind of batch file: P1 of fields, P2 of fixed width.
    bank_file_lines_max: int = 5_000
    bank_fixed_file_lines_max: int = 100_000
    bank_file_bytes_max: int = 32 * 1024 * 1024

    # Where it is not said, the drop folder lies with the books: two sandboxes never share one.
    iso_dir: Path | None = None

    # Hex, or files with one line of hex; without them the API door is shut.
    cmb_sm4_key: str = ""
    cmb_sm4_key_file: Path | None = None
    cmb_bank_private_key: str = ""
    cmb_bank_private_key_file: Path | None = None
    cmb_client_public_key: str = ""
    cmb_client_public_key_file: Path | None = None

    sms_access_key_id: str = "sandbox"
    sms_access_key_secret: str = "sandbox-secret"  # noqa: S105 - a toy's key, good for nothing else
    # No longer than its customer takes it to be (NOTIFY_SMS_REQUEST_EXPIRY_S): what is not found
    # after that is sent anew there.
    sms_date_window_s: float = 900.0
    sms_templates: Path = BESIDE_THE_CODE / "sms" / "templates.json"
    sms_report_url: str = ""
    sms_report_timeout_s: float = 5.0
    sms_report_retry_delays_s: tuple[float, ...] = (1.0, 5.0, 10.0)

    wechat_appid: str = "wx-sandbox"
    wechat_secret: str = "wx-secret"  # noqa: S105 - a toy's key, good for nothing else
    wechat_code_ttl_s: float = 300.0
    wechat_token_ttl_s: int = 7_200
