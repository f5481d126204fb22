"""The golden runner: what must pass passes, and whatever is wrong in a case fails it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml

from deploy.local.settings import ROOT
from tests.golden.running import CaseFile, run, run_file

OWN: Final = Path(__file__).parent / "cases.yaml"
SHARED: Final = ROOT.parent / "shared" / "golden" / "cases.yaml"
FILE: Final = msgspec.convert(yaml.safe_load(OWN.read_bytes()), CaseFile)
CASES: Final = {case["id"]: case for case in FILE.cases}

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def passes(case: Mapping[str, Any], **changed: object) -> bool:
    return run({**case, **changed}, FILE.meta).passed


def program(*files: Path) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "tests.golden", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def written(path: Path, *cases: Mapping[str, Any]) -> Path:
    fields = msgspec.to_builtins(FILE.meta)
    path.write_text(yaml.safe_dump({"meta": fields, "cases": [dict(case) for case in cases]}))
    return path


@each_case
def test_our_own_cases_pass(case: Mapping[str, Any]) -> None:
    result = run(case, FILE.meta)
    assert result.passed, result.line()


def test_every_plan_of_the_format_has_a_case() -> None:
    assert {case["plan"] for case in FILE.cases} == set(FILE.meta.fields)


def test_every_field_of_the_format_is_in_a_case() -> None:
    def said(plan: str, inputs: Mapping[str, Any]) -> set[tuple[str, str]]:
        parts = (said(part["plan"], part["inputs"]) for part in inputs.get("parts", ()))
        return {(plan, field) for field in inputs}.union(*parts)

    listed = {(plan, field) for plan, fields in FILE.meta.fields.items() for field in fields}
    assert listed == set().union(*(said(case["plan"], case["inputs"]) for case in FILE.cases))


@pytest.mark.skipif(not SHARED.exists(), reason="the shared cases are not here")
def test_the_shared_cases_pass() -> None:
    failed = [result.line() for result in run_file(SHARED) if not result.passed]
    assert failed == []


@each_case
def test_another_expectation_fails_the_case(case: Mapping[str, Any]) -> None:
    for key in case["expect"]:
        assert not passes(case, expect={**case["expect"], key: "OTHER"}), key


@each_case
def test_what_is_expected_and_does_not_come_fails_the_case(case: Mapping[str, Any]) -> None:
    assert not passes(case, expect={**case["expect"], "refund": "0.00"})


@pytest.mark.parametrize("case_id", [i for i, case in CASES.items() if "reason" in case["expect"]])
def test_a_reason_that_nobody_expects_fails_the_case(case_id: str) -> None:
    case = CASES[case_id]
    expected = {key: value for key, value in case["expect"].items() if key != "reason"}
    assert not passes(case, expect=expected)


@each_case
def test_who_expects_nothing_fails(case: Mapping[str, Any]) -> None:
    assert not passes(case, expect={})


@each_case
def test_a_field_that_the_plan_does_not_carry_fails_the_case(case: Mapping[str, Any]) -> None:
    assert not passes(case, inputs={**case["inputs"], "shoe_size": 42})


@each_case
def test_a_field_that_only_the_file_knows_fails_the_case(case: Mapping[str, Any]) -> None:
    # It would be carried and never asked: the case would seem to say something that it does not.
    fields = {plan: (*names, "shoe_size") for plan, names in FILE.meta.fields.items()}
    meta = msgspec.structs.replace(FILE.meta, fields=fields)
    assert not run({**case, "inputs": {**case["inputs"], "shoe_size": 42}}, meta).passed


def test_a_field_that_a_part_of_a_package_does_not_carry_fails_the_case() -> None:
    case = CASES["outside-the-package"]
    (part,) = case["inputs"]["parts"]
    wrong = {**part, "inputs": {**part["inputs"], "shoe_size": 42}}
    assert not passes(case, inputs={"parts": [wrong]})


@each_case
def test_a_plan_that_the_file_does_not_list_fails_the_case(case: Mapping[str, Any]) -> None:
    fields = {plan: names for plan, names in FILE.meta.fields.items() if plan != case["plan"]}
    assert not run(case, msgspec.structs.replace(FILE.meta, fields=fields)).passed


def test_a_field_that_is_needed_and_missing_fails_the_case() -> None:
    case = CASES["two-stays-in-weihai"]
    inputs = {k: value for k, value in case["inputs"].items() if k != "burden_this_claim"}
    assert "burden_this_claim is missing" in run({**case, "inputs": inputs}, FILE.meta).line()


@pytest.mark.parametrize("wrong", ["false", 0, None])
def test_a_value_of_another_type_fails_the_case(wrong: object) -> None:
    case = CASES["beijing-with-the-figures-of-the-scheme"]
    assert not passes(case, inputs={**case["inputs"], "card_name_matches": wrong})


@pytest.mark.parametrize("params", [{"shoe_size": "42.00"}, {"floor": "42.00"}])
def test_params_that_name_no_figure_or_several_fail_the_case(params: Mapping[str, str]) -> None:
    case = CASES["beijing-with-the-figures-of-the-scheme"]
    laid = {**case["inputs"]["params"], **params}
    assert not passes(case, inputs={**case["inputs"], "params": laid})


def test_figures_of_one_case_are_gone_in_the_next() -> None:
    case = CASES["a-share-worth-more"]
    plain = {name: value for name, value in case["inputs"].items() if name != "params"}
    assert passes(case)
    assert passes(case, inputs=plain, expect={"payout": "20000.00", "decision": "paid"})


def test_costs_outside_the_base_reach_the_engine() -> None:
    case = CASES["beijing-with-figures-of-its-own-and-a-card-of-another-name"]
    laid = {**case["inputs"]["params"], "base": "self_pay_after_insurance"}
    # 4321.15 + 900.00 + 77.77 + 1500.00 - 1000.00 = 5798.92, x 0.60 = 3479.35, less 300.00.
    expected = {**case["expect"], "payout": "3179.35"}
    assert passes(case, inputs={**case["inputs"], "params": laid}, expect=expected)


def test_the_program_counts_and_ends_with_zero_where_all_pass() -> None:
    status, lines = program(OWN)
    assert (status, lines[-1]) == (0, f"{len(CASES)} passed, 0 failed")
    assert [line.split()[:2] for line in lines[:-1]] == [["ok", case_id] for case_id in CASES]


def test_the_program_tells_what_failed_and_runs_the_others(tmp_path: Path) -> None:
    good = CASES["a-month-in-february"]
    wrong = {**good, "id": "wrong", "expect": {"decision": "due", "due_date": "2024-03-01"}}
    status, lines = program(written(tmp_path / "cases.yaml", wrong, good))
    assert (status, lines[-1]) == (1, "1 passed, 1 failed")
    assert lines[0] == (
        "FAILED wrong expected decision due, due_date 2024-03-01;"
        " came decision due, due_date 2024-02-29"
    )


@pytest.mark.parametrize("content", ["meta: {fields: {}}\ncases: []\n", "cases: [", "[]", None])
def test_a_file_without_cases_fails(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "cases.yaml"
    if content is not None:
        path.write_text(content)
    assert [result.passed for result in run_file(path)] == [False]


def test_the_program_fails_over_a_file_without_cases(tmp_path: Path) -> None:
    status, lines = program(OWN, written(tmp_path / "none.yaml"))
    assert (status, lines[-1]) == (1, f"{len(CASES)} passed, 1 failed")
