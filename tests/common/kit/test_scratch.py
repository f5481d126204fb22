"""What a process puts aside: taken back whole, in any order, and readable by nobody else."""

from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from services.common.kit.scratch import Place, Scratch
from services.common.kit.sealing import Suite


@given(st.lists(st.binary(max_size=300), max_size=20), st.randoms(use_true_random=False))
@pytest.mark.parametrize("suite", Suite)
def test_pieces_come_back_as_they_were_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, suite: Suite, pieces: list[bytes], order: Random
) -> None:
    with closing(Scratch(tmp_path_factory.getbasetemp(), suite)) as scratch:
        places = [(scratch.put(piece), piece) for piece in pieces]
        order.shuffle(places)
        assert all(scratch.get(place) == piece for place, piece in places)


def test_nothing_has_a_name_or_can_be_read(tmp_path: Path) -> None:
    with closing(Scratch(tmp_path, Suite.AES_256_GCM)) as scratch:
        scratch.put(b"110101199003070011")
        assert list(tmp_path.iterdir()) == []


def test_a_piece_does_not_open_at_anothers_place(tmp_path: Path) -> None:
    with closing(Scratch(tmp_path, Suite.AES_256_GCM)) as scratch:
        first, second = scratch.put(b"a row"), scratch.put(b"a row")
        with pytest.raises(InvalidTag):
            scratch.get(Place(first.offset, second.size - 1))
