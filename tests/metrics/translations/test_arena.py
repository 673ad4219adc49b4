"""Arrays that are kept lie in blocks of their own, whole and apart from each other."""

import weakref

import numpy as np

from dlthink.metrics.translations.arena import BLOCK, Arena


def test_what_is_put_there_stays_as_it_is():
    arena, chance = Arena(), np.random.default_rng(0)
    shapes = [(3, 5), (0, 7), (1,), (1000, 1280), (1000, 1280), (1000, 1280), (2, 2, 3)]
    arrays = [(100 * chance.random(s)).astype(kind) for s in shapes for kind in (np.float32, np.uint8, np.float64)]
    kept = [arena.put(array) for array in arrays]
    for array, one in zip(arrays, kept, strict=True):
        assert one.dtype == array.dtype and np.array_equal(one, array)
        array[...] = 0
    assert not any(np.shares_memory(a, b) for i, a in enumerate(kept) for b in kept[:i])
    large = np.zeros(BLOCK + 1, np.uint8)
    assert arena.put(large) is large


def test_a_block_is_freed_with_its_last_array():
    arena = Arena()
    one = arena.put(np.ones(10))
    block = weakref.ref(arena.block)
    arena.put(np.zeros(BLOCK, np.uint8))
    assert block() is not None or one.base is not None
    del one
    assert block() is None
