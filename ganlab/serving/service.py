"""What do the interfaces share? Models with their batchers, bodies, limits.

An interface reads a request, asks `Service.generate` for samples, and writes them. All
limits are kept here, so that no interface has fewer.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any, TypeVar

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from ganlab import sampling
from ganlab.errors import UserError
from ganlab.safety.limits import usable_cores
from ganlab.serving.batcher import Batcher, BusyError
from ganlab.serving.limits import Limits
from ganlab.serving.metrics import Metrics
from ganlab.serving.models import VERSION, Model

BODY_SECONDS = 10.0  # in which a body has to arrive
DROP_SECONDS, DROP_BYTES = 2.0, 1 << 22  # of a body that is refused, read and left
INLINE_NUMBERS = 1 << 14  # latents that are drawn without another thread
TAKEN_NUMBERS = 1 << 26  # of all samples that are taken at once, for each model
HELPERS = 2  # threads that draw latents and write pictures
TAKEN, NOTES = "ganlab.taken", "ganlab.notes"  # what a request's scope carries

Value = TypeVar("Value")
Inputs = Callable[[], tuple[np.ndarray, np.ndarray | None]]


def capacity(model: Model, limits: Limits) -> int:
    """Samples of a model that may be taken at once: one full request at least."""
    most = min(limits.queue, TAKEN_NUMBERS // model.sample_size)
    return max(most, model.max_images)


class Service:
    """The models of a server, and what runs them.

    Args:
        models: Models by name.
        limits: What the server takes.
    """

    def __init__(self, models: dict[str, Model], limits: Limits) -> None:
        self.models, self.limits = models, limits
        self.metrics = Metrics()
        threads = limits.threads or usable_cores()
        self._runs = ThreadPoolExecutor(threads, "ganlab run")
        self._helpers = ThreadPoolExecutor(HELPERS, "ganlab helper")
        self.batchers = {
            name: Batcher(
                model.artifact.generate,
                model.sizes,
                capacity(model, limits),
                threads,
                self._runs,
                self.metrics.observer_of_batches(name),
            )
            for name, model in models.items()
        }
        for name, batcher in self.batchers.items():
            self.metrics.watch_taken(name, batcher)

    def close(self) -> None:
        """Ends the threads."""
        self._runs.shutdown()
        self._helpers.shutdown()

    def model(self, request: Request) -> Model:
        """The model that a URL names; names are keys, and lead to no file.

        Raises:
            HTTPException: if there is none of that name and version.
        """
        name = request.path_params["name"]
        version = request.path_params.get("version", VERSION)
        model = self.models.get(name)
        if model is None or version != VERSION:
            known = ", ".join(self.models)
            raise HTTPException(
                HTTPStatus.NOT_FOUND,
                f"Expected a model of: {known}, of version {VERSION}. Received: "
                f"{name[:80]!r}, {version[:20]!r}",
            )
        request.scope[NOTES]["model"] = name
        return model

    async def body(self, request: Request, model: Model) -> bytes:
        """The body of a request.

        Raises:
            HTTPException: if it is too long, comes too slowly, or is compressed.
        """
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "Expected a body that is not compressed. Received: Content-Encoding; "
                "leave it out",
            )
        stated = request.headers.get("content-length", "0")
        if stated.isdecimal() and len(stated) < 20 and int(stated) > model.max_body:
            if "expect" not in request.headers:  # such a client sends nothing yet
                await _drop(request.stream())
            raise _too_long(model, stated)
        content, parts = bytearray(), request.stream()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in parts:
                    content += part
                    if len(content) > model.max_body:
                        break
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT,
                f"Expected a body within {BODY_SECONDS:g} seconds. Received: "
                f"{len(content):,} bytes of it; send it faster",
                {"Connection": "close"},
            ) from None
        if len(content) > model.max_body:
            content.clear()
            await _drop(parts)
            raise _too_long(model, "more")
        return bytes(content)

    async def generate(
        self,
        request: Request,
        model: Model,
        count: int,
        inputs: Inputs,
        seconds: float | None = None,
    ) -> np.ndarray:
        """Samples for a request, which counts as taken until it is answered.

        Args:
            request: The request.
            model: The model.
            count: Integer: samples, which `check_count` has passed.
            inputs: Function that gives latents and labels; it is called once there is
                a place.
            seconds: Time that the client gives, if less than the server's.

        Returns:
            Float32 array `(count, ...)`.

        Raises:
            BusyError: if there is no place or no time.
            UserError: for what the generator does not take, or makes no numbers of.
        """
        limit = min(self.limits.seconds, seconds or self.limits.seconds)
        batcher = self.batchers[model.name]
        taken: ExitStack = request.scope[TAKEN]
        taken.enter_context(batcher.taking(count, limit))
        if count * model.artifact.latent_dim > INLINE_NUMBERS:
            latents, labels = await self.helped(inputs)
        else:
            latents, labels = inputs()
        try:
            samples = await batcher.samples(latents, labels, limit)
        except UserError as error:  # inputs are checked; this is of the machine
            raise BusyError(str(error), batcher.retry_after()) from error
        request.scope[NOTES]["images"] = count
        if not np.isfinite(samples).all():
            raise UserError(
                "Expected latents of which the generator makes finite numbers. "
                f"Received: latents from {latents.min():g} to {latents.max():g}; "
                "draw them from a standard normal distribution"
            )
        return samples

    async def helped(self, function: Callable[[], Value]) -> Value:
        """What a function returns that is called in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._helpers, function)


async def _drop(parts: AsyncIterator[bytes]) -> None:
    """Reads on for a moment: a client that still writes would not see the answer."""
    dropped = 0
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(DROP_SECONDS):
            async for part in parts:
                dropped += len(part)
                if dropped > DROP_BYTES:
                    break


def _too_long(model: Model, received: str) -> HTTPException:
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"Expected a body of at most {model.max_body:,} bytes. Received: {received}; "
        "ask for fewer images a request",
        {"Connection": "close"},
    )


def check_latents(model: Model, latents: list[np.ndarray]) -> np.ndarray:
    """Flat latents of arrays as the generator's inputs are, or of flat ones.

    Returns:
        Float32 array `(n, latent_dim)`.

    Raises:
        UserError: for other shapes, or numbers that are not finite.
    """
    parts = sampling.split_latents(latents, model.artifact.latent_shapes)
    flat = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
    if not np.isfinite(flat).all():
        raise UserError(
            "Expected finite latents. Received: infinities, or what is no number; "
            "draw them from a standard normal distribution"
        )
    return flat


def stated_seconds(value: Any) -> float | None:
    """Seconds of a time in microseconds, as Triton's clients state it.

    Raises:
        UserError: for what is no integer of 0 or more; 0 is none.
    """
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 2**63:
        raise UserError(
            "Expected a timeout in microseconds, an integer of 0 or more. Received: "
            f"{value!r:.40}"
        )
    return value / 1e6 or None
