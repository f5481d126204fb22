"""Every process is told what it needs and no more; servers outside stand in for embedded ones."""

from pathlib import Path

import pytest

from deploy.local.platform import Platform
from deploy.local.process import SetupFailed
from deploy.local.programs import platform_programs
from deploy.local.settings import DATABASES, read_settings
from deploy.local.supervisor import Program

VAR = Path("/nowhere/var")


def programs(**env: str) -> dict[str, Program]:
    return {program.name: program for program in platform_programs(read_settings(env, VAR), env)}


def test_a_service_is_told_the_way_to_its_own_database_alone() -> None:
    made = programs(CLAIMS_DATABASE_URL="postgresql+asyncpg://claims@elsewhere/claims")
    for name in DATABASES:
        told = [key for key in made[name].env if key.endswith("_DATABASE_URL")]
        assert told == [f"{name.upper()}_DATABASE_URL"]
    assert made["claims"].env["CLAIMS_DATABASE_URL"].endswith("@elsewhere/claims")
    assert "host=/nowhere/var/run/pg" in made["notify"].env["NOTIFY_DATABASE_URL"]


def test_only_the_migrations_come_in_as_the_owner_of_the_tables() -> None:
    outside = {"CLAIMS_DATABASE_URL": "postgresql+asyncpg://claims@elsewhere/claims"}
    owner = {"CLAIMS_OWNER_DATABASE_URL": "postgresql+asyncpg://claims_owner@elsewhere/claims"}
    made = programs(**outside, **owner)
    told = {name for name, program in made.items() if "CLAIMS_OWNER_DATABASE_URL" in program.env}
    assert told - {"postgres", "kafka"} == {"migrations"}
    env = made["migrations"].env
    assert env["CLAIMS_OWNER_DATABASE_URL"] == owner["CLAIMS_OWNER_DATABASE_URL"]
    assert "//notify_owner@" in env["NOTIFY_OWNER_DATABASE_URL"]
    assert "//notify@" in env["NOTIFY_DATABASE_URL"]


def test_a_server_outside_may_have_one_role_and_an_owner_alone_names_no_server() -> None:
    outside = {"CLAIMS_DATABASE_URL": "postgresql+asyncpg://claims@elsewhere/claims"}
    assert programs(**outside)["migrations"].env["CLAIMS_OWNER_DATABASE_URL"] == ""
    env = programs(CLAIMS_OWNER_DATABASE_URL="postgresql+asyncpg://x/y")["migrations"].env
    assert "//claims_owner@" in env["CLAIMS_OWNER_DATABASE_URL"]


def test_the_embedded_postgres_serves_only_while_somebody_needs_it() -> None:
    url = "postgresql+asyncpg://x/one"
    outside = {f"{name.upper()}_DATABASE_URL": url for name in DATABASES}
    assert "postgres" in programs(CLAIMS_DATABASE_URL=url)
    assert "postgres" not in programs(**outside)


def test_a_kafka_outside_takes_the_place_of_the_embedded_one() -> None:
    made = programs(KAFKA_BOOTSTRAP_SERVERS="broker:9092")
    assert "kafka" not in made
    assert made["claims"].env["KAFKA_BOOTSTRAP_SERVERS"] == "broker:9092"
    assert programs(KAFKA_PORT="555")["claims"].env["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:555"


def test_the_sandbox_goes_when_bank_sms_and_wechat_are_real() -> None:
    bank = {"PAYMENTS_BANK_URL": "https://bank"}
    assert programs(**bank)["payments"].env["PAYMENTS_BANK_URL"] == "https://bank"
    assert programs(**bank)["notify"].env["NOTIFY_SMS_URL"] == "http://127.0.0.1:8190"
    assert "sandbox" in programs(**bank)
    real = {**bank, "NOTIFY_SMS_URL": "https://sms", "GATEWAY_WECHAT_URL": "https://wechat"}
    assert "sandbox" not in programs(**real)


def test_the_sandbox_takes_a_request_no_longer_than_notify_believes_it_may() -> None:
    window, expiry = "SANDBOX_SMS_DATE_WINDOW_S", "NOTIFY_SMS_REQUEST_EXPIRY_S"
    assert programs()["sandbox"].env[window] == "900"
    assert programs(**{expiry: "20"})["sandbox"].env[window] == "20"
    assert programs(**{expiry: "20", window: "10"})["sandbox"].env[window] == "10"


def test_only_a_development_platform_is_given_accounts() -> None:
    assert "bootstrap" in programs()
    assert "bootstrap" not in programs(PROFILE="strict")
    assert programs(PROFILE="strict")["gateway"].env["PROFILE"] == "strict"


def test_the_feed_worker_has_a_door_of_its_own() -> None:
    made = programs(CLAIMS_PORT="1", CLAIMS_FEED_PORT="2")
    assert (made["claims"].env["CLAIMS_PORT"], made["claims-feed"].env["CLAIMS_PORT"]) == ("1", "2")
    assert made["gateway"].env["CLAIMS_URL"] == "http://127.0.0.1:1"


def test_several_workers_stand_beside_a_door_and_each_is_told_its_share() -> None:
    made = programs(WORKERS="2")
    for name in ("enrollment", "claims", "payments", "notify"):
        assert made[name].command[-2:] == ["--role", "api"]
        workers = [made[f"{name}-worker-{number}"] for number in range(2)]
        assert [one.command[-2:] for one in workers] == [["--role", "worker"]] * 2
        told = [one.env[f"{name.upper()}_WORKER_NUMBER"] for one in workers]
        assert (told, workers[0].env[f"{name.upper()}_WORKER_COUNT"]) == (["0", "1"], "2")
    ports = [one.where for one in made.values() if one.where]
    assert len(set(ports)) == len(ports), "everybody has a port of their own"
    assert not [name for name in programs() if "worker" in name]


def test_a_misspelt_program_is_refused() -> None:
    with pytest.raises(SetupFailed, match="no such program: posgres"):
        Platform(VAR, {}, only=["posgres"])
