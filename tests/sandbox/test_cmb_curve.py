"""The curve of the API door's signatures, held against gmalg's own reckoning."""

import pytest
from gmalg.ellipticcurve import EllipticCurve
from gmalg.sm2 import SM2

from deploy.sandbox.bank.cmb.curve import times

CURVE = SM2()._core.ecdlp  # pyright: ignore[reportPrivateUsage] - gmalg shows its curve nowhere else
ORDER = CURVE.fpn.p


@pytest.mark.parametrize(
    "factor",
    [1, 2, 3, 4, 7, ORDER - 1, ORDER, ORDER + 1, ORDER + 2, 2 * ORDER, 2 * ORDER + 3, 3**160],
)
def test_a_point_so_many_times_is_what_gmalg_says(factor: int) -> None:
    assert times(factor, CURVE.G) == EllipticCurve.mul(CURVE.ec, factor, CURVE.G)
