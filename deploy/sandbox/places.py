"""Where things lie, known by numbers: sixteen bytes each, where a dictionary would take 200."""

from collections.abc import Iterator
from struct import Struct

_SHARD_BITS = 14
_SHARD_MASK = (1 << _SHARD_BITS) - 1
_PAIR = Struct("<qq")
_HALF_BYTES = _PAIR.size // 2


class Places:
    """Pairs of 64-bit numbers, a key and a place; a key may have several places.

    Texts go by their `hash`: among three million, two share one in one book of four million. The
    pairs lie in shards, by the low bits of the key, so that a search reads a few kilobytes and
    nothing is ever moved at one go.
    """

    def __init__(self) -> None:
        self._shards: dict[int, bytearray] = {}

    def add(self, key: int, place: int) -> None:
        shard = self._shards.get(key & _SHARD_MASK)
        if shard is None:
            shard = self._shards[key & _SHARD_MASK] = bytearray()
        shard += _PAIR.pack(key, place)

    def set(self, key: int, place: int) -> None:
        """Give the key this place instead of its first, if it has any."""
        at = next(self._found(key), None)
        if at is None:
            self.add(key, place)
        else:
            _PAIR.pack_into(self._shards[key & _SHARD_MASK], at, key, place)

    def first(self, key: int) -> int | None:
        """Give the place that was added first."""
        return next(self.all(key), None)

    def all(self, key: int) -> Iterator[int]:
        """Give every place of a key, in the order they were added."""
        for at in self._found(key):
            yield _PAIR.unpack_from(self._shards[key & _SHARD_MASK], at)[1]

    def __contains__(self, key: int) -> bool:
        return next(self._found(key), None) is not None

    def _found(self, key: int) -> Iterator[int]:
        shard = self._shards.get(key & _SHARD_MASK)
        if shard is None:
            return
        wanted = key.to_bytes(_HALF_BYTES, "little", signed=True)
        at = shard.find(wanted)
        while at >= 0:
            # The same bytes may also stand across a pair, or as a place.
            if not at % _PAIR.size:
                yield at
            at = shard.find(wanted, at + 1)
