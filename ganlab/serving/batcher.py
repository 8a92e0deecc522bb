"""How do many requests become few runs of a generator, and when is one refused?

A run takes what waits when a thread is free: nobody waits for a batch to fill. Between
its arrival and the end of its answer, a request's samples count as taken, so memory is
bounded by `capacity`, whoever reads slowly.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

Generate = Callable[[np.ndarray, np.ndarray | None], np.ndarray]

MAX_RETRY_SECONDS = 60
MIN_SHARED = 8  # samples below which a batch is not divided between threads
SMOOTHING = 0.2  # of the measured rate, for each run


class BusyError(RuntimeError):
    """There is no place, or no time, for a request.

    Args:
        message: One line.
        retry_after: Integer: seconds after which it is worth asking again.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass
class _Work:
    """One request: its rows, and how many of them have been handed to a run."""

    latents: np.ndarray
    labels: np.ndarray | None
    samples: asyncio.Future[np.ndarray]
    parts: dict[int, np.ndarray] = field(default_factory=dict)  # by first row
    handed: int = 0
    made: int = 0


@dataclass(frozen=True)
class _Part:
    """The rows of one request within a run."""

    work: _Work
    first: int
    last: int


class Batcher:
    """Runs a generator for many requests at once.

    Args:
        generate: Function from latents `(n, latent_dim)` and labels `(n,)` or `None`
            to samples `(n, ...)`; it is called in threads.
        sizes: Integers: sizes of batches that may be run; 1 is one of them.
        capacity: Integer: samples that may be taken at once.
        threads: Integer: runs at once.
        executor: What the runs run in.
        observe: Function that is told the size of each run.
    """

    def __init__(
        self,
        generate: Generate,
        sizes: Sequence[int],
        capacity: int,
        threads: int,
        executor: Executor,
        observe: Callable[[int], object] = lambda size: None,
    ) -> None:
        if 1 not in sizes:
            raise ValueError(f"sizes without 1: {sizes}")
        self.capacity = capacity
        self.taken = 0
        self._generate, self._executor, self._observe = generate, executor, observe
        self._sizes = sorted(sizes, reverse=True)
        self._idle = threads
        self._waiting: deque[_Work] = deque()
        self._runs: set[asyncio.Task[None]] = set()
        self._rate: float | None = None  # samples a second
        self._last_end = 0.0

    @contextmanager
    def taking(self, count: int, seconds: float) -> Iterator[None]:
        """Counts samples as taken in this block.

        Args:
            count: Integer: samples.
            seconds: Float: time that the request has.

        Raises:
            BusyError: if there is no place for them, or at the measured rate no time.
        """
        wait = self._wait(count)
        if self.taken + count > self.capacity:
            raise BusyError(
                f"Expected at most {self.capacity:,} images at once from all clients. "
                f"Received: {self.taken + count:,}; ask again later",
                self.retry_after(),
            )
        if self.taken and wait > seconds:
            raise BusyError(
                f"Expected an answer within {seconds:g} seconds. Received: a server "
                f"with work for {wait:.1f}; ask again later",
                self.retry_after(),
            )
        self.taken += count
        try:
            yield
        finally:
            self.taken -= count

    async def samples(
        self, latents: np.ndarray, labels: np.ndarray | None, seconds: float
    ) -> np.ndarray:
        """Generates samples together with those of other requests.

        Args:
            latents: Float32 array `(n, latent_dim)`.
            labels: Int32 array `(n,)`, or `None`.
            seconds: Float: time that it may take.

        Returns:
            Array `(n, ...)`: what `generate` returns.

        Raises:
            BusyError: if the time is over first.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(_Work(latents, labels, future))
        self._start_runs()
        try:
            async with asyncio.timeout(seconds):
                samples: np.ndarray = await future
                return samples
        except TimeoutError:
            raise BusyError(
                f"Expected an answer within {seconds:g} seconds. Received: none by "
                "then; ask again later, or for fewer images",
                self.retry_after(),
            ) from None

    def _start_runs(self) -> None:
        while self._idle and (parts := self._next_batch()):
            self._idle -= 1
            run = asyncio.get_running_loop().create_task(self._run(parts))
            self._runs.add(run)  # which a loop alone would not keep
            run.add_done_callback(self._runs.discard)

    def _next_batch(self) -> list[_Part]:
        """The oldest rows that wait, in the largest size that they fill."""
        self._waiting = deque(work for work in self._waiting if not work.samples.done())
        rows = sum(len(work.latents) - work.handed for work in self._waiting)
        rows = min(rows, max(MIN_SHARED, -(-rows // self._idle)))
        left = next((size for size in self._sizes if size <= rows), 0)
        parts = []
        while left:
            work = self._waiting[0]
            first, last = work.handed, min(len(work.latents), work.handed + left)
            parts.append(_Part(work, first, last))
            left -= last - first
            work.handed = last
            if last == len(work.latents):
                self._waiting.popleft()
        return parts

    async def _run(self, parts: list[_Part]) -> None:
        start = time.monotonic()
        try:
            samples = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._generate_parts, parts
            )
        except Exception as error:
            for part in parts:
                if not part.work.samples.done():
                    part.work.samples.set_exception(error)
        else:
            self._hand_out(parts, samples)
            self._observe(len(samples))
            self._measure(len(samples), start)
        finally:
            self._idle += 1
            self._start_runs()

    def _generate_parts(self, parts: list[_Part]) -> np.ndarray:
        latents = [part.work.latents[part.first : part.last] for part in parts]
        labels = [
            part.work.labels[part.first : part.last]
            for part in parts
            if part.work.labels is not None
        ]
        if len(parts) == 1:
            return self._generate(latents[0], labels[0] if labels else None)
        together = np.concatenate(labels) if labels else None
        return self._generate(np.concatenate(latents), together)

    def _hand_out(self, parts: list[_Part], samples: np.ndarray) -> None:
        row = 0
        for part in parts:
            work, count = part.work, part.last - part.first
            work.parts[part.first] = samples[row : row + count]
            work.made += count
            row += count
            if work.made == len(work.latents) and not work.samples.done():
                pieces = [work.parts[first] for first in sorted(work.parts)]
                whole = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
                work.samples.set_result(whole)

    def _measure(self, count: int, start: float) -> None:
        """Updates the rate by what was made since the last run ended, or began."""
        now = time.monotonic()
        rate = count / max(now - max(start, self._last_end), 1e-6)
        self._last_end = now
        if self._rate is None:
            self._rate = rate
        self._rate += SMOOTHING * (rate - self._rate)

    def _wait(self, count: int) -> float:
        """Seconds until so many more samples would be made."""
        return 0.0 if self._rate is None else (self.taken + count) / self._rate

    def retry_after(self) -> int:
        """Seconds until what is taken is made, at the measured rate."""
        return min(MAX_RETRY_SECONDS, max(1, math.ceil(self._wait(0))))
