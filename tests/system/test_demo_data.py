"""The data that the repository holds are what the generator makes of its seed, and no real ones."""

from pathlib import Path

from deploy.demo import make_data
from deploy.demo.dataset import Dataset


def test_the_data_are_what_the_generator_makes(tmp_path: Path) -> None:
    make_data.make_demo(tmp_path / "demo")
    make_data.make_small(tmp_path / "small")
    for made, kept in (("demo", make_data.DEMO_DIR), ("small", make_data.SMALL_DIR)):
        assert _files(tmp_path / made) == _files(kept)


def test_every_way_to_be_wrong_is_in_the_feed() -> None:
    for folder in (make_data.DEMO_DIR, make_data.SMALL_DIR):
        made = {one.made for one in Dataset(folder).truth}
        assert made == {*make_data.DEMO.spoilt, "ok", "late_original"}


def test_no_two_members_share_a_number_and_every_card_is_well_formed() -> None:
    members = Dataset(make_data.DEMO_DIR).members
    for column in ("id_number", "phone", "card_number"):
        assert len({one[column] for one in members}) == len(members)
    assert all(_passes_luhn(one["card_number"]) for one in members)


def _passes_luhn(card: str) -> bool:
    digits = [int(digit) for digit in reversed(card)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
