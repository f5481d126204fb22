"""The knobs of notify, each with its unit in its name; in the environment they begin NOTIFY_."""

from typing import Any

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr

from services.common.kit.settings import Port, ServiceSettings, knobs


def _sandbox_only(value: str) -> Any:  # noqa: ANN401 - pydantic's factories are typed as it says
    """Be the default under profile development alone; elsewhere the knob must be told."""

    def default(known: dict[str, Any]) -> str:
        return value if known.get("profile") == "development" else ""

    return default


class Settings(ServiceSettings):
    model_config = knobs("NOTIFY_")
    port: Port = 8104
    database_pool_size: PositiveInt = 12

    sms_url: str = Field(default="http://127.0.0.1:8190", min_length=1)
    sms_access_key_id: str = Field(default_factory=_sandbox_only("sandbox"), min_length=1)
    sms_access_key_secret: SecretStr = Field(
        default_factory=_sandbox_only("sandbox-secret"), min_length=1
    )
    sms_sign: str = Field(default="职工互助", min_length=2, max_length=16)
    # The provider's codes of our templates, where they are not the ones in texts/templates.yaml.
    sms_template_codes: dict[str, str] = Field(default_factory=dict[str, str])
    sms_timeout_s: PositiveFloat = 5.0
    sms_connect_timeout_s: PositiveFloat = 1.0
    # Shorter than the provider's, so that no call is lost on a connection it is just closing.
    sms_keep_alive_s: PositiveFloat = 4.0
    # For how long after its signed date the provider may still take a request, and how far its
    # clock and its books may lie behind: only then is "not found" a refusal.
    sms_request_expiry_s: PositiveFloat = 900.0
    sms_request_expiry_margin_s: NonNegativeFloat = 1.0

    texts_per_call_max: PositiveInt = Field(default=100, le=100)
    dispatches_in_flight: PositiveInt = 20
    # Whoever queues texts in the same process wakes the sender at once.
    sender_poll_ms: PositiveInt = 500
    channel_pause_s: PositiveFloat = Field(default=1.0, le=2.0)
    retry_first_s: PositiveFloat = 1.0
    retry_max_s: PositiveFloat = 60.0
    retry_age_max_h: PositiveFloat = 24.0
    ask_first_s: PositiveFloat = 0.5
    ask_max_s: PositiveFloat = 30.0
    ask_dispatches_max: PositiveInt = 50
    asks_in_flight: PositiveInt = 8
    officers_wait_s: PositiveFloat = 600.0

    # The code to mend a card: how long it is good, and how many wrong ends of an identity number
    # use it up.
    mend_code_days: PositiveInt = 7
    mend_code_tries_max: PositiveInt = 5

    codes_per_minute_max: PositiveInt = 1
    codes_per_hour_max: PositiveInt = 5
    codes_per_day_max: PositiveInt = 10

    report_bytes_max: PositiveInt = 1024 * 1024
    page_rows_max: PositiveInt = 100
