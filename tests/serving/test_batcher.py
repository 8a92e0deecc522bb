"""Requests become few runs; none loses a row; what has no place is told."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ganlab.serving.batcher import Batcher, BusyError

SIZES = (1, 2, 4, 8)


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def make(executor):
    """A function that makes a batcher of a generator that doubles, and its sizes."""

    def make(generate=None, sizes=SIZES, capacity=1000, threads=1):
        observed = []

        def double(latents, labels):
            return latents * 2 + (0 if labels is None else labels[:, None] * 1000)

        batcher = Batcher(
            generate or double, sizes, capacity, threads, executor, observed.append
        )
        return batcher, observed

    return make


def rows(count, first=0):
    return np.arange(first, first + count, dtype=np.float32)[:, None]


@pytest.mark.parametrize("with_labels", [False, True])
def test_each_request_gets_its_own_rows(make, with_labels):
    batcher, observed = make()
    counts = [1, 5, 3, 17, 1, 2, 8, 1]

    async def ask():
        requests = []
        for index, count in enumerate(counts):
            labels = np.full(count, index, np.int32) if with_labels else None
            requests.append(batcher.samples(rows(count, 100 * index), labels, 10.0))
        return await asyncio.gather(*requests)

    for index, samples in enumerate(asyncio.run(ask())):
        expected = rows(counts[index], 100 * index) * 2 + 1000 * index * with_labels
        np.testing.assert_array_equal(samples, expected)
    assert sum(observed) == sum(counts)
    assert set(observed) <= set(SIZES)
    assert len(observed) < len(counts)


def test_other_sizes_are_never_run(make):
    batcher, observed = make(sizes=(1, 4))
    asyncio.run(batcher.samples(rows(7), None, 10.0))
    assert observed == [4, 1, 1, 1]


def test_waiting_rows_are_divided_between_threads(make):
    batcher, observed = make(sizes=(1, 8, 16, 32, 64), threads=2)
    asyncio.run(batcher.samples(rows(64), None, 10.0))
    assert observed == [32, 32]


def test_sizes_without_one_are_refused(make):
    with pytest.raises(ValueError, match="without 1"):
        make(sizes=(2, 4))


def test_what_there_is_no_place_for_is_refused_until_there_is(make):
    batcher, _ = make(capacity=10)
    with batcher.taking(8, 10.0):
        with pytest.raises(BusyError, match="at most 10 .* Received: 11") as caught:
            batcher.taking(3, 10.0).__enter__()
        assert caught.value.retry_after >= 1
        assert batcher.taken == 8
    assert batcher.taken == 0
    with batcher.taking(10, 10.0):
        assert batcher.taken == 10


def test_a_request_that_would_come_too_late_is_refused_at_once(make):
    go = threading.Event()

    def generate(latents, labels):
        go.wait(0.05 * len(latents))
        return latents

    batcher, _ = make(generate)

    async def ask():
        await batcher.samples(rows(8), None, 10.0)  # 0.4 s: 20 samples a second
        with batcher.taking(100, 60.0):
            with pytest.raises(BusyError, match=r"within 1 seconds\. .* work for"):
                batcher.taking(1, 1.0).__enter__()
            with pytest.raises(BusyError) as caught:
                batcher.taking(1, 1.0).__enter__()
        return caught.value.retry_after

    assert 4 <= asyncio.run(ask()) <= 60


def test_a_deadline_ends_the_wait_and_the_work(make):
    go, runs = threading.Event(), []

    def generate(latents, labels):
        runs.append(len(latents))
        go.wait(10)
        return latents

    batcher, _ = make(generate, sizes=(1,))

    async def ask():
        first = asyncio.create_task(batcher.samples(rows(1), None, 10.0))
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="within 0.01 seconds"):
            await batcher.samples(rows(5), None, 0.01)
        go.set()
        return await first

    assert len(asyncio.run(ask())) == 1
    assert runs == [1]  # nobody waited for the five


def test_an_error_reaches_every_request_of_a_run_and_no_other(make):
    def generate(latents, labels):
        if latents.min() < 0:
            raise ValueError("negative")
        return latents

    batcher, _ = make(generate, sizes=(1,))

    async def ask():
        wrong = batcher.samples(rows(2, -5), None, 10.0)
        right = batcher.samples(rows(2), None, 10.0)
        return await asyncio.gather(wrong, right, return_exceptions=True)

    wrong, right = asyncio.run(ask())
    assert isinstance(wrong, ValueError)
    np.testing.assert_array_equal(right, rows(2))
