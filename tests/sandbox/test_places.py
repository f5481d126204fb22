"""Where things lie by number: every place of a key is found again, and no other."""

import random

from deploy.sandbox.places import Places


def test_a_key_gives_all_its_places_in_the_order_they_came() -> None:
    draw = random.Random(1)  # noqa: S311 - the same draws every time
    places, expected = Places(), dict[int, list[int]]()
    for place in range(20_000):
        # Keys of few shards, some of them the bytes of a place, or negative as a hash may be.
        key = draw.choice((draw.randrange(5_000), -draw.randrange(1, 50), draw.randrange(50) << 14))
        places.add(key, place)
        expected.setdefault(key, []).append(place)
    assert all(list(places.all(key)) == found for key, found in expected.items())
    assert all(places.first(key) == found[0] for key, found in expected.items())
    assert all(key in places for key in expected)
    assert 6_000 not in places
    assert places.first(6_000) is None


def test_bytes_across_a_pair_are_no_key() -> None:
    places = Places()
    places.add(1 << 14, 0)
    places.add(2 << 14, 3 << 14)
    assert 3 << 14 not in places
    assert 0 not in places


def test_a_place_is_changed_where_it_stands() -> None:
    places = Places()
    places.set(7, 1)
    places.add(8, 2)
    places.set(7, 3)
    assert (list(places.all(7)), list(places.all(8))) == ([3], [2])
