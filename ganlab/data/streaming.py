"""Images that are decoded anew whenever they are asked for."""

import itertools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ganlab.data.decoding import decode, why_not
from ganlab.errors import UserError
from ganlab.safety.limits import is_of_machine, usable_cores

LOGGER = logging.getLogger("ganlab")
MAX_BROKEN = 100  # pictures in a row


class ReadImages(ABC):
    """Images that read like a uint8 array `(N, H, W, C)`, of whose pixels none is kept.

    `shape` is that array's.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4
    nbytes = 0  # of memory
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        indices = np.arange(len(self))[key]
        if np.ndim(indices) == 0:
            return self.read(np.array([indices]))[0][0]
        return self.read(indices)[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    @abstractmethod
    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads images.

        Args:
            indices: Integer array `(n,)`.

        Returns:
            Uint8 array `(n, H, W, C)`, and the indices of the images that are in it,
            which are others where some could not be read.
        """


class StreamedImages(ReadImages):
    """Images on disk, decoded when they are asked for.

    Nothing is kept, so that memory does not grow with their number. A picture that
    cannot be read is named once, and the next one that can stands in for it, always the
    same.

    Args:
        items: Pairs of a name and an image, each read when it is asked for: see
            `ganlab.data.source.Source`.
        shape: Height, width and channels.
        background: See `ganlab.data.decoding.decode`.
    """

    def __init__(
        self,
        items: Sequence[tuple[str, Any]],
        shape: tuple[int, int, int],
        background: str,
    ) -> None:
        self.items = items
        self.shape = (len(items), *shape)
        self.background = background
        self.seconds = 0.0  # in which callers waited for pictures
        self._broken: set[int] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="decode")

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decodes images: see `ReadImages.read`.

        Raises:
            UserError: if 100 images in a row cannot be read.
        """
        began = time.perf_counter()
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        used = np.array(indices, np.int64)

        def fill(row: int) -> None:
            used[row], images[row] = self._read_one(int(used[row]))

        list(self._pool.map(fill, range(len(indices))))
        with self._lock:
            self.seconds += time.perf_counter() - began
        return images, used

    def _read_one(self, first: int) -> tuple[int, np.ndarray]:
        height, width, channels = self.shape[1:]
        for index in itertools.islice(itertools.count(first), MAX_BROKEN):
            index %= len(self)
            name = f"image {index}"
            try:
                name, item = self.items[index]
                shape = (height, width, channels)
                return index, decode(item, shape, background=self.background).pixels
            except Exception as error:  # Pillow's readers raise any
                if is_of_machine(error):
                    raise
                self._say(index, name, error)
        raise UserError(
            f"Expected images that can be read. Received: {MAX_BROKEN} in a row that "
            f"cannot, the first {self.items[first][0]}; mend the files"
        )

    def _say(self, index: int, name: str, error: Exception) -> None:
        with self._lock:
            new = index not in self._broken
            self._broken.add(index)
        if new:
            LOGGER.warning("%s cannot be read: %s", name, why_not(error))
