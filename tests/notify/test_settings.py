"""The knobs: a real installation must be told its keys."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.notify.settings import Settings

URL = "postgresql+asyncpg://nobody@/notify"


def test_development_speaks_to_the_sandbox_with_its_keys(tmp_path: Path) -> None:
    settings = Settings(profile="development", database_url=URL, var_dir=tmp_path)
    assert settings.sms_access_key_id == "sandbox"
    assert settings.sms_access_key_secret.get_secret_value() == "sandbox-secret"


def test_an_installation_without_keys_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(database_url=URL, var_dir=tmp_path)
    assert {error["loc"] for error in refusal.value.errors()} == {
        ("sms_access_key_id",),
        ("sms_access_key_secret",),
    }


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    settings = Settings(profile="development", database_url=URL, var_dir=tmp_path)
    assert "sandbox-secret" not in repr(settings)
