"""Marks: what is written is read, strangers' too, and nothing else is believed."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganlab.provenance import marks
from ganlab.provenance.marks import COMPOSITE, GENERATED, Mark

MARK = Mark(generator="0123456789abcdef" * 4, seeds=(1, 2), step=500, version="9.8")
STRANGERS = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:iptc="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<iptc:DigitalSourceType>
http://cv.iptc.org/newscodes/digitalsourcetype/{}</iptc:DigitalSourceType>
<iptc:AISystemUsed>Another</iptc:AISystemUsed>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def png_with(path, xmp):
    info = PngInfo()
    info.add_itxt(marks.XMP_KEY, xmp)
    Image.new("L", (4, 4)).save(path, pnginfo=info)
    return path


def test_a_mark_is_read_as_it_was_written(tmp_path):
    path = png_with(tmp_path / "a.png", MARK.xmp.decode())
    assert marks.read_mark(path) == MARK
    with Image.open(path) as picture:  # as any reader of XMP has it
        (description,) = picture.getxmp()["xmpmeta"]["RDF"].values()
    assert description["DigitalSourceType"] == marks.SOURCE_TYPES + GENERATED
    assert description["AISystemUsed"] == "ganlab"


def test_a_mark_is_one_line():
    assert MARK.describe() == (
        "generated (trainedAlgorithmicMedia) by ganlab 9.8, generator "
        "0123456789abcdef, seed 1 2, step 500"
    )
    assert Mark(source_type=COMPOSITE, system="").describe() == (
        "generated in part (compositeWithTrainedAlgorithmicMedia)"
    )


def test_text_in_a_mark_is_text(tmp_path):
    mark = Mark(version='"/><script a="', system="<&>")
    path = png_with(tmp_path / "a.png", mark.xmp.decode())
    assert marks.read_mark(path) == mark


def test_another_systems_mark_is_read(tmp_path):
    path = png_with(tmp_path / "a.png", STRANGERS.format(GENERATED))
    assert marks.read_mark(path) == Mark(system="Another", version="")
    path = png_with(tmp_path / "b.png", STRANGERS.format("digitalCapture"))
    assert marks.read_mark(path) is None


@pytest.mark.parametrize(
    ("xmp", "message"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        ("<a", "no XML"),
        ("<a>" + "b" * marks.MAX_MARK_BYTES + "</a>", "more than"),
        (MARK.xmp.decode().replace('"1 2"', '"one"'), "int"),
    ],
    ids=["entities", "no-xml", "long", "seed"],
)
def test_a_damaged_mark_is_no_mark(tmp_path, xmp, message):
    with pytest.raises(ValueError, match=message):
        marks.read_mark(png_with(tmp_path / "a.png", xmp))


def test_a_mark_of_arrays_is_bounded(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(marks.MEMBER, "[" + " " * (1 << 20) + "]")
    with pytest.raises(ValueError, match="more than"):
        marks.read_mark(path)
    marks.beside(tmp_path / "a.npy").write_text("[1]")
    with pytest.raises(ValueError, match="no JSON object"):
        marks.read_mark(tmp_path / "a.npy")
    np.savez(path, images=np.zeros(3))
    assert marks.read_mark(path) is None
    assert marks.read_mark(tmp_path / "b.csv") is None


def test_what_is_no_picture_is_one_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"GIF")
    with pytest.raises(ValueError, match="cannot be read"):
        marks.read_mark(tmp_path / "a.png")


def test_a_copy_keeps_the_mark(tmp_path):
    path = tmp_path / "a.png"
    for stated, expected in ((MARK.png_info, MARK), (None, Mark())):
        Image.new("L", (4, 4)).save(path, pnginfo=stated)
        with Image.open(path) as picture:
            picture.resize((2, 2)).save(path, pnginfo=marks.copied_info(picture))
        assert marks.read_mark(path) == expected


def test_every_flipped_byte_of_a_png_file_is_seen():
    file = io.BytesIO()
    Image.new("L", (9, 9), 7).save(file, "PNG", pnginfo=MARK.png_info)
    content = file.getvalue()
    assert not marks.is_damaged_png(content)
    for position in range(len(content)):
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        assert marks.is_damaged_png(bytes(flipped)), position
    assert marks.is_damaged_png(content[:-1])
    assert marks.is_damaged_png(content + b"\0")
