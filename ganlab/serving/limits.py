"""How much does a server take?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a server takes.

    Args:
        max_images: Samples that one request may ask for.
        queue: Samples that may be taken at once, for each model.
        seconds: Time that a request may take once it was read.
        threads: Runs at once, each in one thread; `None` for one a core.
    """

    max_images: int = 256
    queue: int = 1024
    seconds: float = 30.0
    threads: int | None = None
