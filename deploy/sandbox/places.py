"""Where things lie, known by numbers: sixteen bytes each, where a dictionary would take 200."""

from collections.abc import Iterator
from struct import Struct

_SHARD_BITS = 14
_SHARD_MASK = (1 << _SHARD_BITS) - 1
_PAIR = Struct("<qq")
_KEY = Struct("<q")


class Places:
    """Pairs of 64-bit numbers, a key and a place; a key may have several places.

    Texts go by their `hash`: among three million, two share one in one book of four million. The
    pairs lie in shards, by the low bits of the key, so that a search reads a few kilobytes and
    nothing is ever moved at one go.
    """

    def __init__(self) -> None:
        self._shards = [bytearray() for _ in range(_SHARD_MASK + 1)]

    def add(self, key: int, place: int) -> None:
        self._shards[key & _SHARD_MASK].extend(_PAIR.pack(key, place))

    def set(self, key: int, place: int) -> None:
        """Give the key this place instead of its first, if it has any."""
        shard = self._shards[key & _SHARD_MASK]
        at = _find(shard, key)
        if at < 0:
            self.add(key, place)
        else:
            _PAIR.pack_into(shard, at, key, place)

    def first(self, key: int) -> int | None:
        """Give the place that was added first."""
        shard = self._shards[key & _SHARD_MASK]
        at = _find(shard, key)
        return None if at < 0 else _PAIR.unpack_from(shard, at)[1]

    def all(self, key: int) -> Iterator[int]:
        """Give every place of a key, in the order they were added."""
        shard = self._shards[key & _SHARD_MASK]
        at = _find(shard, key)
        while at >= 0:
            yield _PAIR.unpack_from(shard, at)[1]
            at = _find(shard, key, at + _PAIR.size)

    def __contains__(self, key: int) -> bool:
        return self.first(key) is not None


def _find(shard: bytearray, key: int, start: int = 0) -> int:
    """Say where a pair of this key begins, from a pair on."""
    wanted = _KEY.pack(key)
    at = shard.find(wanted, start)
    while at > 0 and at % _PAIR.size:
        # The same bytes stand across two pairs, or as a place.
        at = shard.find(wanted, at + 1)
    return at
