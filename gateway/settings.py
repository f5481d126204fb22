"""The knobs of the gateway, each with its unit; profile development loosens the controls."""

from typing import Any

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr

from services.common.kit.settings import Port, ProcessSettings, knobs


def _by_profile(*, strict: float, development: float) -> Any:  # noqa: ANN401 - pydantic's own sign
    """Take the strict value unless the installation says that it is for development."""
    return Field(
        default_factory=lambda known: (
            development if known.get("profile") == "development" else strict
        )
    )


class Settings(ProcessSettings):
    model_config = knobs("GATEWAY_")

    port: Port = 8080
    # How partners reach the gateway, as they sign it, e.g. https://api.example.org; where it is
    # empty the Host header as received counts. A proxy that rewrites Host makes it necessary.
    public_url: str = ""
    # The header in which the proxy in front tells the caller's address; empty: there is no proxy.
    address_header: str = ""

    wechat_url: str = "http://127.0.0.1:8190"
    wechat_appid: str = "wx-sandbox"
    wechat_secret: SecretStr = SecretStr("wx-secret")
    wechat_timeout_s: PositiveFloat = 5.0

    body_bytes_max: PositiveInt = 1024**2
    # Of the whole form: the file, and some hundred bytes around it.
    roster_bytes_max: PositiveInt = 20 * 1024**2 + 64 * 1024
    # Of the JSON around a scheme file, which may write each Chinese character as six signs.
    draft_bytes_max: PositiveInt = 3 * 1024**2
    feed_bytes_max: PositiveInt = 4 * 1024**3 + 64 * 1024
    body_idle_timeout_s: PositiveFloat = 30.0
    upload_timeout_s: PositiveFloat = 3_600.0
    report_timeout_s: PositiveFloat = 60.0
    answer_bytes_max: PositiveInt = 8 * 1024 * 1024
    timeline_pages_max: PositiveInt = 10

    address_requests_per_s: PositiveFloat = _by_profile(strict=100, development=5_000)
    address_logins_per_min: PositiveFloat = _by_profile(strict=30, development=60_000)
    staff_requests_per_s: PositiveFloat = _by_profile(strict=20, development=1_000)
    hospital_requests_per_s: PositiveFloat = _by_profile(strict=50, development=1_000)
    member_requests_per_s: PositiveFloat = _by_profile(strict=10, development=1_000)
    limit_burst_s: PositiveFloat = 2.0
    limit_keys_max: PositiveInt = 100_000

    signature_window_s: PositiveInt = 300

    password_memory_kib: PositiveInt = 19_456
    password_iterations: PositiveInt = 2
    passwords_at_once_max: PositiveInt = 4
    login_failures_max: PositiveInt = 5
    login_lockout_s: PositiveInt = 900
    staff_session_s: PositiveInt = 8 * 3_600
    totp_drift_steps: int = Field(1, ge=0, le=2)

    access_token_s: PositiveInt = 900
    refresh_token_s: PositiveInt = 30 * 86_400
    bind_ticket_s: PositiveInt = 600
    login_code_s: PositiveInt = 300
    login_code_tries_max: PositiveInt = 5
    login_code_interval_s: NonNegativeFloat = _by_profile(strict=60, development=0)
    login_codes_per_day: PositiveInt = _by_profile(strict=10, development=10_000)

    idempotency_keep_s: PositiveInt = 86_400
    sweep_every_s: PositiveFloat = 60.0
