"""A point of SM2's curve so many times: what a signature takes, in whole numbers of Python.

gmalg inverts a number at every step: 60 ms for every call. Here one is inverted, at the end: 5 ms.
"""

# The field of GB/T 32918.5; the curve is y² = x³ - 3x + b.
_P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
_INFINITE = (float("inf"), float("inf"))  # as gmalg writes it

_Point = tuple[int, int]
# x and y times the square and the cube of z; z is 0 at infinity.
_Projected = tuple[int, int, int]


def times(factor: int, point: _Point) -> tuple[float, float]:
    """Add a point up `factor` times, 1 or more; gives whole numbers, or gmalg's infinity."""
    found = (*point, 1)
    for bit in f"{factor:b}"[1:]:
        found = _doubled(found)
        if bit == "1":
            found = _plus(found, point)
    x, y, z = found
    if not z:
        return _INFINITE
    inverse = pow(z, -1, _P)
    square = inverse * inverse % _P
    return x * square % _P, y * square * inverse % _P


def _doubled(point: _Projected) -> _Projected:
    x, y, z = point
    z2, y2 = z * z % _P, y * y % _P
    product = x * y2 % _P
    slope = 3 * (x - z2) * (x + z2) % _P
    x3 = (slope * slope - 8 * product) % _P
    return x3, (slope * (4 * product - x3) - 8 * y2 * y2) % _P, 2 * y * z % _P


def _plus(one: _Projected, other: _Point) -> _Projected:
    x, y, z = one
    if not z:
        return (*other, 1)
    z2 = z * z % _P
    across = (other[0] * z2 - x) % _P
    up = (other[1] * z2 * z - y) % _P
    if not across:
        return _doubled(one) if not up else (1, 1, 0)
    across2 = across * across % _P
    across3 = across * across2 % _P
    middle = x * across2 % _P
    x3 = (up * up - across3 - 2 * middle) % _P
    return x3, (up * (middle - x3) - y * across3) % _P, z * across % _P
