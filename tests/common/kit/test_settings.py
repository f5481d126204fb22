"""Knobs: where they are read from, and what a wrong one says."""

from pathlib import Path

import pytest
from pydantic import PositiveInt, ValidationError

from services.common.kit.db import DatabaseBounds
from services.common.kit.kafka import KafkaBounds
from services.common.kit.settings import Peers, Port, ServiceSettings, knobs


class BooksSettings(ServiceSettings):
    model_config = knobs("BOOKS_")
    port: Port = 8199
    chunk_ms: PositiveInt = 100


def test_a_services_own_knobs_carry_its_prefix_and_shared_ones_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOOKS_DATABASE_URL", "postgresql+asyncpg://books")
    monkeypatch.setenv("BOOKS_CHUNK_MS", "7")
    monkeypatch.setenv("BOOKS_LOCK_TIMEOUT_MS", "8")
    monkeypatch.setenv("VAR_DIR", "/elsewhere")
    monkeypatch.setenv("PROFILE", "development")
    monkeypatch.setenv("CLAIMS_CHUNK_MS", "9")
    settings = BooksSettings()  # pyright: ignore[reportCallIssue] - the environment gives the rest
    assert settings.database_url == "postgresql+asyncpg://books"
    assert (settings.chunk_ms, settings.lock_timeout_ms) == (7, 8)
    assert settings.profile == "development"
    assert settings.internal_token_file == Path("/elsewhere/keys/internal.token")


def test_controls_are_on_unless_development_is_asked_for() -> None:
    assert BooksSettings(database_url="x").profile == "strict"


def test_names_of_fields_serve_in_code(tmp_path: Path) -> None:
    settings = BooksSettings(database_url="x", var_dir=tmp_path, kafka_bootstrap_servers="k:1")
    assert settings.keys_dir == tmp_path / "keys"
    assert settings.kafka_bootstrap_servers == "k:1"


def test_settings_fit_what_the_database_and_kafka_ask_for() -> None:
    settings = BooksSettings(database_url="x")
    database: DatabaseBounds = settings
    kafka: KafkaBounds = settings
    assert database is kafka


def test_a_refused_value_is_not_repeated_and_the_database_url_is_not_shown() -> None:
    with pytest.raises(ValidationError) as refused:
        BooksSettings.model_validate({"database_url": "x", "database_pool_size": "s3cret"})
    assert "s3cret" not in str(refused.value)
    assert "password" not in repr(BooksSettings(database_url="u:password@h"))


def test_peers_are_on_this_machine_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMS_URL", "http://claims:1")
    assert Peers().claims_url == "http://claims:1"
    assert Peers().notify_url == "http://127.0.0.1:8104"
