"""`ganlab verify`: a line a file, and an exit code that a script may trust."""

from pathlib import Path

import pytest

from ganlab.cli.main import main

SHIPPED = str(Path(__file__).parents[2] / "saved_models" / "fashion")


@pytest.fixture(scope="module")
def folder(write_signer, tmp_path_factory):
    """A signed picture, a changed one, one that is not signed, and arrays."""
    folder = tmp_path_factory.mktemp("verify")
    sign = ["--sign", str(write_signer(folder)[0])]
    options = ["sample", SHIPPED, "--num-images", "4", "--seed", "7"]
    for name, more in (("signed.png", sign), ("plain.png", []), ("a.npz", [])):
        assert main([*options, "--out", str(folder / name), *more]) == 0
    assert main([*options, "--out", str(folder / "folder"), *sign]) == 0
    content = bytearray((folder / "signed.png").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "changed.png").write_bytes(content)
    return folder


def test_a_signed_picture_is_valid(folder, capsys):
    paths = [folder / "signed.png", *sorted((folder / "folder").iterdir())]
    assert len(paths) == 5
    assert main(["verify", *map(str, paths)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for path, line in zip(paths, lines, strict=True):
        assert line.startswith(
            f"{path}: valid, signer unknown (Person, Tests); it says"
        )
        assert "generated (trainedAlgorithmicMedia) by ganlab" in line
        assert line.endswith("seed 7")
    trust = ["--trust", str(folder / "es256-authority.pem")]
    assert main(["verify", str(paths[0]), *trust]) == 0
    assert f"{paths[0]}: valid (Person, Tests)" in capsys.readouterr().out


def test_a_flipped_byte_is_named_invalid(folder, capsys):
    path = folder / "changed.png"
    assert main(["verify", str(folder / "signed.png"), str(path)]) == 1
    captured = capsys.readouterr()
    assert f"{path}: invalid: " in captured.out
    assert "seed" not in captured.out.splitlines()[1]
    assert captured.err == "ganlab: 1 of 2 without a valid signature, or damaged\n"


@pytest.mark.parametrize("name", ["plain.png", "a.npz"])
def test_without_signature_it_tells_what_the_mark_says(folder, capsys, name):
    assert main(["verify", str(folder / name)]) == 1
    assert f"{name}: not signed; it says: generated" in capsys.readouterr().out


def test_a_damaged_array_is_invalid(tmp_path, capsys):
    (tmp_path / "a.npz").write_bytes(b"PK")
    assert main(["verify", str(tmp_path / "a.npz")]) == 1
    assert "a.npz: invalid: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "Expected a file or folder to verify. Received: none.png"),
        ([str(Path(__file__).parent)], "Expected files, or a folder of shards"),
        ([__file__, "--trust", __file__], "certificates to trust"),
    ],
    ids=["no-file", "folder", "no-certificate"],
)
def test_a_mistake_is_one_line(capsys, arguments, message):
    assert main(["verify", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_what_cannot_be_signed_is_refused(folder, capsys):
    key = str(folder / "es256.pem")
    out = str(folder / "b.npy")
    assert main(["sample", SHIPPED, "--out", out, "--sign", key]) == 2
    assert "Expected pictures to sign" in capsys.readouterr().err
    assert not Path(out).exists()
