"""What do files of generated samples say of where they come from?

Pictures carry a mark as XMP: IPTC's `DigitalSourceType` and the system that was used,
the SHA-256 of the generator's ONNX file, seeds and version. Arrays carry the same as
JSON, within a `.npz` file and beside any other.
"""

import functools
import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganlab import __version__
from ganlab.files import write_text
from ganlab.safety import bounded

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED, COMPOSITE = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
SYSTEM = "ganlab"
XMP_KEY = "XML:com.adobe.xmp"
NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "ganlab": "https://github.com/ganlab/ganlab/",
}
MEMBER = "provenance.json"  # of a .npz file
PICTURES = {
    ".png": "PNG",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
}
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
MAX_MARK_BYTES = 1 << 16
SHORT_HASH = 16  # digits that are printed
UNREADABLE = (
    *(OSError, SyntaxError, EOFError, struct.error),
    Image.DecompressionBombError,
)
HIDDEN_ENTITIES = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
GIF_HEADER, GIF_COLOURS, GIF_HAS_COLOURS = 13, 7, 128
GIF_XMP = b"!\xff\x0bXMP DataXMP"
# What XMP ends with in GIF, so that readers of blocks find the end from any byte of it.
GIF_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Says that samples are generated, and by what.

    Args:
        generator: SHA-256 of the ONNX file that drew them; empty while training.
        seeds: Integers: of the latents; two of an interpolation.
        step: Integer: the training step of the generator, or `None`.
        attribution: Whose work the samples are made from; may be empty.
        source_type: Last part of IPTC's URL of `DigitalSourceType`: `GENERATED`, or
            `COMPOSITE` for pictures that show real samples as well.
        system: Name of the program.
        version: Version of the program.
        signer: Function of a written file and this mark that signs the file, or
            `None`.
    """

    generator: str = ""
    seeds: tuple[int, ...] = ()
    step: int | None = None
    attribution: str = ""
    source_type: str = GENERATED
    system: str = SYSTEM
    version: str = __version__
    signer: Callable[[Path, "Mark"], None] | None = field(default=None, compare=False)

    def statements(self) -> dict[str, str]:
        """What the mark says of the generator, by name; what is unknown left out."""
        values = {
            "generator": self.generator,
            "seed": " ".join(map(str, self.seeds)),
            "step": "" if self.step is None else str(self.step),
        }
        return {name: value for name, value in values.items() if value}

    @functools.cached_property
    def xmp(self) -> bytes:
        """The mark as an XMP packet."""
        from xml.sax.saxutils import quoteattr  # imports HTTP and TLS

        stated = {
            "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPES + self.source_type,
            "Iptc4xmpExt:AISystemUsed": self.system,
            "Iptc4xmpExt:AISystemVersionUsed": self.version,
            **{f"ganlab:{name}": value for name, value in self.statements().items()},
        }
        spaces = "".join(f' xmlns:{name}="{url}"' for name, url in NAMESPACES.items())
        values = "".join(f" {name}={quoteattr(text)}" for name, text in stated.items())
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF{spaces}>'
            f'<rdf:Description rdf:about=""{values}/></rdf:RDF></x:xmpmeta>'
            '<?xpacket end="r"?>'
        ).encode()

    @functools.cached_property
    def png_info(self) -> PngInfo:
        """The mark, and whose work it is, as texts of a PNG file."""
        info = PngInfo()
        info.add_itxt(XMP_KEY, self.xmp.decode())
        if self.attribution:
            info.add_text("Copyright", self.attribution)
        return info

    @functools.cached_property
    def json(self) -> str:
        """The mark as JSON, for arrays."""
        return json.dumps(
            {
                "digital_source_type": SOURCE_TYPES + self.source_type,
                "system": self.system,
                "version": self.version,
                **self.statements(),
                "attribution": self.attribution,
            },
            ensure_ascii=False,
        )

    def sign(self, path: Path) -> None:
        """Signs a written picture, if there is a signer."""
        if self.signer is not None:
            self.signer(path, self)

    def describe(self) -> str:
        """The mark in one line.

        >>> Mark(seeds=(3,), version="1.0").describe()
        'generated (trainedAlgorithmicMedia) by ganlab 1.0, seed 3'
        """
        made = "generated" if self.source_type == GENERATED else "generated in part"
        by = f" by {self.system} {self.version}".rstrip() if self.system else ""
        stated = "".join(
            f", {name} {text[:SHORT_HASH]}" for name, text in self.statements().items()
        )
        return f"{made} ({self.source_type}){by}{stated}"


def copied_info(picture: Image.Image) -> PngInfo:
    """The mark of a picture for a smaller copy; of one without, that of `Mark()`."""
    packet = picture.info.get("xmp")
    if not isinstance(packet, bytes) or len(packet) > MAX_MARK_BYTES:
        return Mark().png_info
    info = PngInfo()
    info.add_itxt(XMP_KEY, packet.decode("utf-8", "replace"))
    return info


def beside(path: Path) -> Path:
    """The file that holds the mark of a file of arrays."""
    return path.with_name(f"{path.name}.json")


def write_beside(path: Path, mark: Mark) -> None:
    """Writes the mark of a file of arrays that has no room for one."""
    write_text(beside(path), mark.json + "\n")


def mark_gif(path: Path, mark: Mark) -> None:
    """Adds the mark to a written GIF file, whose first frame it precedes."""
    content = path.read_bytes()
    colours = content[10]
    start = GIF_HEADER
    if colours & GIF_HAS_COLOURS:
        start += 3 << ((colours & GIF_COLOURS) + 1)
    block = GIF_XMP + mark.xmp + GIF_TRAILER
    path.write_bytes(content[:start] + block + content[start:])


def read_mark(path: Path) -> Mark | None:
    """The mark of a picture or of arrays, ganlab's or another system's, or `None`.

    Raises:
        ValueError: for a picture or a mark that is damaged.
        OSError: if the file cannot be read.
    """
    if path.suffix.lower() in PICTURES:
        try:
            with Image.open(path, formats=list(PICTURES.values())) as picture:
                packet = picture.info.get("xmp") or b""
                if picture.format == "GIF":
                    packet = _xmp_of_gif(path)
        except UNREADABLE as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise ValueError("a picture that cannot be read") from error
        return _parse_xmp(packet if isinstance(packet, bytes) else packet.encode())
    if path.suffix == ".npz":
        with bounded.open_zip(path) as archive:
            if MEMBER not in archive.namelist():
                return None
            content = bounded.read_member(archive, MEMBER, MAX_MARK_BYTES)
    elif beside(path).is_file():
        content = bounded.read_bytes(beside(path), MAX_MARK_BYTES)
    else:
        return None
    stated = bounded.parse_json(content.decode())
    if not isinstance(stated, dict):
        raise ValueError("a mark that is no JSON object")
    source_type = str(stated.get("digital_source_type", ""))
    return _mark(source_type, stated, str(stated.get("attribution") or ""))


def _xmp_of_gif(path: Path) -> bytes:
    """The XMP of a GIF file, which Pillow does not read; empty without any."""
    with path.open("rb") as file:
        content = file.read(GIF_HEADER + 3 * 256 + 2 * MAX_MARK_BYTES)
    _, start, packet = content.partition(GIF_XMP)
    return packet.partition(GIF_TRAILER[:4])[0] if start else b""


def _parse_xmp(packet: bytes) -> Mark | None:
    """The mark of an XMP packet, whether it states its values in attributes or tags."""
    if not packet:
        return None
    if len(packet) > MAX_MARK_BYTES:
        raise ValueError(f"XMP of more than {MAX_MARK_BYTES:,} bytes")
    text = packet.decode("utf-8", "replace").strip("\0\ufeff \n")
    if HIDDEN_ENTITIES.search(text):
        raise ValueError("XMP with entities of its own")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError("XMP that is no XML") from error
    values: dict[str, str] = {}
    for element in root.iter():
        values[element.tag] = (element.text or "").strip()
        values.update(element.attrib)
    iptc, own = (f"{{{NAMESPACES[name]}}}" for name in ("Iptc4xmpExt", "ganlab"))
    stated = {
        name: values[own + name]
        for name in ("generator", "seed", "step")
        if own + name in values
    }
    stated["system"] = values.get(f"{iptc}AISystemUsed", "")
    stated["version"] = values.get(f"{iptc}AISystemVersionUsed", "")
    return _mark(values.get(f"{iptc}DigitalSourceType", ""), stated, "")


def _mark(source_type: str, stated: Mapping[str, Any], attribution: str) -> Mark | None:
    """A mark of what a file states; `None` where it does not say that it is generated.

    Raises:
        ValueError: for seeds or a step that are no numbers.
    """
    kind = source_type.rpartition("/")[2]
    if kind not in (GENERATED, COMPOSITE):
        return None
    numbers = {
        name: [int(text[: bounded.MAX_DIGITS]) for text in str(value).split()[:2]]
        for name in ("seed", "step")
        if (value := stated.get(name)) is not None
    }
    return Mark(
        generator=str(stated.get("generator", ""))[:64],
        seeds=tuple(numbers.get("seed", ())),
        step=next(iter(numbers.get("step", ())), None),
        attribution=attribution,
        source_type=kind,
        system=str(stated.get("system", ""))[:64],
        version=str(stated.get("version", ""))[:64],
    )


def is_damaged_png(content: bytes) -> bool:
    """Whether a PNG file's chunks differ from their checksums, or break off."""
    position = len(PNG_MAGIC)
    if content[:position] != PNG_MAGIC:
        return True
    kind = b""
    while position < len(content):
        if position + 12 > len(content) or kind == b"IEND":
            return True
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 8 + length
        if end + 4 > len(content):
            return True
        checksum = zlib.crc32(content[position + 4 : end])
        if content[end : end + 4] != checksum.to_bytes(4, "big"):
            return True
        position = end + 4
    return kind != b"IEND"
