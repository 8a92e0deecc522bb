"""Signatures: whole ones are valid, every other byte is seen, nobody is trusted."""

import dataclasses
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import pictures
from ganlab.errors import RunError, UserError
from ganlab.provenance import marks, signing
from ganlab.provenance.marks import Mark

MARK = Mark(generator="ab" * 32, seeds=(3,))
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), np.uint8)


@pytest.fixture(scope="module")
def keys(write_signer, tmp_path_factory):
    return write_signer(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def mark(keys):
    return dataclasses.replace(MARK, signer=signing.Signer(keys[0]))


@pytest.fixture(scope="module")
def signed(mark, tmp_path_factory):
    path = tmp_path_factory.mktemp("signed") / "a.png"
    pictures.save(IMAGES, path, mark=mark)
    return path


def test_a_signature_is_valid_and_trusted_where_somebody_vouches(
    signed, keys, write_signer, tmp_path
):
    verdict = signing.verify(signed)
    assert str(verdict) == "valid, signer unknown (Person, Tests)"
    trusted = signing.read_trusted(keys[1])
    assert str(signing.verify(signed, trusted)) == "valid (Person, Tests)"
    another = signing.read_trusted(write_signer(tmp_path)[1])
    assert signing.verify(signed, another) == verdict
    assert marks.read_mark(signed) == MARK


def test_the_picture_is_what_it_was_and_has_no_thumbnail(signed, tmp_path):
    plain = tmp_path / "a.png"
    pictures.save(IMAGES, plain, mark=MARK)
    pixels = [np.asarray(Image.open(path)) for path in (signed, plain)]
    np.testing.assert_array_equal(*pixels)
    assert signed.stat().st_size - plain.stat().st_size < 5000


def test_a_flipped_byte_is_invalid(signed, tmp_path):
    content, path = signed.read_bytes(), tmp_path / "a.png"
    for position in range(0, len(content), 29):
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        assert signing.verify(path).state == "invalid", position


def test_a_changed_picture_with_right_checksums_is_invalid(signed, tmp_path):
    content = signed.read_bytes()
    chunk = struct.pack(">I4s3s", 3, b"tEXt", b"a\0b")
    chunk += zlib.crc32(chunk[4:]).to_bytes(4, "big")
    path = tmp_path / "a.png"
    path.write_bytes(content[:-12] + chunk + content[-12:])
    verdict = signing.verify(path)
    assert str(verdict) == "invalid: assertion.dataHash.mismatch"


@pytest.mark.parametrize(
    ("suffix", "frame"), [(".gif", b"!\xf9\x04"), (".webp", b"ANMF")]
)
def test_animations_are_signed(mark, tmp_path, suffix, frame):
    path = tmp_path / f"a{suffix}"
    pictures.save_animation(np.stack([IMAGES, 255 - IMAGES]), path, mark)
    assert signing.verify(path).state == "valid"
    assert marks.read_mark(path) == MARK
    content = bytearray(path.read_bytes())
    content[content.rindex(frame) + 40] ^= 1  # of its pixels
    path.write_bytes(content)
    assert signing.verify(path).state == "invalid"


@pytest.mark.parametrize("kind", ["es384", "ed25519", "ps256"])
def test_keys_of_other_kinds_sign(write_signer, tmp_path, kind):
    signer = signing.Signer(write_signer(tmp_path, kind)[0])
    path = tmp_path / "a.png"
    pictures.save(IMAGES, path, mark=dataclasses.replace(MARK, signer=signer))
    assert signing.verify(path).state == "valid"


def test_a_picture_without_signature_is_not_signed(tmp_path):
    pictures.save(IMAGES, tmp_path / "a.png", mark=MARK)
    assert str(signing.verify(tmp_path / "a.png")) == "not signed"


def test_a_file_without_key_or_certificates_is_one_line(keys, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    for path in (keys[1], tmp_path / "empty.pem"):
        with pytest.raises(UserError, match="Expected a PEM file of one private key"):
            signing.Signer(path)
    with pytest.raises(UserError, match="certificates to trust"):
        signing.read_trusted(tmp_path / "empty.pem")


def test_a_key_that_is_not_the_certificates_is_refused(write_signer, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (write_signer(tmp_path / name)[0] for name in ("one", "two"))
    key = one.read_text().partition("-----BEGIN CERTIFICATE")[0]
    chain = "".join(two.read_text().partition("-----BEGIN CERTIFICATE")[1:])
    (tmp_path / "mixed.pem").write_text(key + chain)
    out = tmp_path / "a.png"

    def sign():
        signer = signing.Signer(tmp_path / "mixed.pem")
        pictures.save(IMAGES, out, mark=dataclasses.replace(MARK, signer=signer))

    with pytest.raises(UserError, match="Expected"):
        sign()
    assert not out.exists()


def test_without_the_extra_it_says_so(signed, keys, monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    for call in (lambda: signing.verify(signed), lambda: signing.Signer(keys[0])):
        with pytest.raises(RunError, match="ganlab\\[provenance\\]"):
            call()


def test_arrays_are_not_signed():
    signing.check_signable("folder")
    with pytest.raises(UserError, match="Expected pictures to sign"):
        signing.check_signable("a.npz")


@pytest.mark.e2e
def test_the_key_of_the_page_signs(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "howto" / "provenance.md"
    _, _, rest = page.read_text().partition("<!-- signing key -->\n```bash\n")
    subprocess.run(["bash", "-ec", rest.partition("```")[0]], cwd=tmp_path, check=True)
    signer = signing.Signer(tmp_path / "sign.pem")
    path = tmp_path / "a.png"
    pictures.save(IMAGES, path, mark=dataclasses.replace(MARK, signer=signer))
    trusted = signing.read_trusted(tmp_path / "authority.pem")
    assert str(signing.verify(path, trusted)) == "valid (My pictures, Mine)"
