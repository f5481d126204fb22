"""The knobs that every process has, each with its unit in its name; a service adds its own.

A service's own knobs carry its prefix in the environment (`CLAIMS_DATABASE_URL`); what all
processes of an installation share has none (`VAR_DIR`, `PROFILE`, `KAFKA_BOOTSTRAP_SERVERS`).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

Profile = Literal["development", "strict"]
Port = Annotated[int, Field(ge=0, le=65_535)]


def knobs(prefix: str = "") -> SettingsConfigDict:
    """Say how a settings class reads the environment; `prefix` is the service's, e.g. `CLAIMS_`."""
    return SettingsConfigDict(
        env_prefix=prefix,
        extra="ignore",
        frozen=True,
        # A refused value may be a secret, so the refusal names only the knob.
        hide_input_in_errors=True,
        validate_default=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


def _keys_dir(known: dict[str, Any]) -> Path:
    return known["var_dir"] / "keys"


def _internal_token_file(known: dict[str, Any]) -> Path:
    return known["keys_dir"] / "internal.token"


class SharedSettings(BaseSettings):
    """What all processes of an installation agree on."""

    model_config = knobs()

    profile: Profile = Field(default="strict", validation_alias="PROFILE")
    var_dir: Path = Field(default=Path("var"), validation_alias="VAR_DIR")
    keys_dir: Path = Field(default_factory=_keys_dir, validation_alias="KEYS_DIR")
    internal_token_file: Path = Field(
        default_factory=_internal_token_file, validation_alias="INTERNAL_TOKEN_FILE"
    )
    sealing_suite: Literal["AES-256-GCM", "SM4-GCM"] = Field(
        default="AES-256-GCM", validation_alias="SEALING_SUITE"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias="LOG_LEVEL"
    )


class ProcessSettings(SharedSettings):
    """What a process needs to serve and to stop; the gateway and the services stand on it."""

    host: str = "127.0.0.1"
    port: Port
    http_concurrency_max: PositiveInt = 1_000
    http_keep_alive_s: PositiveInt = 30
    http_timeout_s: PositiveFloat = 10.0
    http_connect_timeout_s: PositiveFloat = 1.0
    http_connections_max: PositiveInt = 100
    shutdown_grace_s: PositiveInt = 20
    watchdog_stall_s: PositiveFloat = 30.0
    readiness_timeout_s: PositiveFloat = 2.0

    database_url: str = Field(repr=False)
    # Of the tables' owner; for `migrate` alone, a serving process is not told it.
    owner_database_url: str = Field(default="", repr=False)
    database_pool_size: PositiveInt = 8
    database_connect_timeout_s: PositiveFloat = 2.0
    database_command_timeout_s: PositiveFloat = 5.0
    statement_timeout_ms: PositiveInt = 4_000
    lock_timeout_ms: PositiveInt = 2_000
    idle_in_transaction_timeout_ms: PositiveInt = 10_000


class ServiceSettings(ProcessSettings):
    """What every service has beside: its place in Kafka and the size of its batches."""

    kafka_bootstrap_servers: str = Field(
        default="127.0.0.1:19092", validation_alias="KAFKA_BOOTSTRAP_SERVERS"
    )
    kafka_timeout_s: PositiveFloat = 10.0
    # A larger installation runs several workers of a service; each takes its share of partitions.
    worker_number: NonNegativeInt = 0
    worker_count: PositiveInt = 1
    relay_poll_ms: PositiveInt = 50
    relay_page_rows: PositiveInt = 5_000
    consumer_batch_rows: PositiveInt = 5_000


class Peers(BaseSettings):
    """Where the services are."""

    model_config = knobs()

    enrollment_url: str = "http://127.0.0.1:8101"
    claims_url: str = "http://127.0.0.1:8102"
    payments_url: str = "http://127.0.0.1:8103"
    notify_url: str = "http://127.0.0.1:8104"
