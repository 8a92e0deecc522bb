"""Gives damaged and wild files to every reader; each may raise `UserError` alone.

    python scripts/fuzz.py card --seconds 60
    python scripts/fuzz.py all --seconds 600

With atheris installed (`pip install atheris`) inputs are led by what code they reach;
without it they are mutations of whole files, the same ones for a seed. A file that
raises anything else is kept as crash-TARGET and its traceback printed. Exits with 1
then.
"""

import argparse
import contextlib
import gzip
import importlib.util
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
from PIL import Image

if importlib.util.find_spec("atheris"):
    import atheris

    # What is imported within tells atheris which code an input reaches.
    instrumented = atheris.instrument_imports(include=["ganlab"])
else:
    atheris, instrumented = None, contextlib.nullcontext()
with instrumented:
    from ganlab.artifacts.card import CARD, read_card, read_inputs, read_output
    from ganlab.artifacts.principal_directions import principal_directions
    from ganlab.config.settings import Monitoring, Recipe
    from ganlab.data.loading import load_data
    from ganlab.data.sources import open_source
    from ganlab.diagnosis.examine import examine
    from ganlab.diagnosis.logs.events import HEADER
    from ganlab.errors import UserError
    from ganlab.features.torch_weights import read_state_dict
    from ganlab.runs import load_run
    from ganlab.safety.onnx_model import OnnxModel

SHIPPED_CARD = Path(__file__).parents[1] / "saved_models/fashion" / CARD
MAX_BYTES = 1 << 13  # of what is given to a reader
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
WORDS = (
    *(b"[", b"{", b'"', b",", b"\n", b"\0", b"\x1f\x8b", b"PK\1\2", b"9" * 50),
    *(b"1e999", b"NaN", b"null", b"-1", b"\xff\xfe", b"\xff" * 8, b'{"mean": 1'),
)


def check_card(folder: Path, content: bytes) -> None:
    """A card, and what it states of inputs and output."""
    (folder / CARD).write_bytes(content)
    card = read_card(folder)
    read_inputs(card)
    read_output(card)


def check_config(folder: Path, content: bytes) -> None:
    """The settings of a run."""
    (folder / "config.json").write_bytes(content)
    load_run(folder, watched=True)


def check_run_log(folder: Path, content: bytes) -> None:
    """A run's own log and its diagnosis; `event` makes a run of the folder."""
    event = b'{"step": 0, "event": "began", "loss": "hinge"}\n'
    (folder / "metrics.jsonl").write_bytes(event + content)
    examine(folder).as_dict()


def check_json_log(folder: Path, content: bytes) -> None:
    """Another trainer's log as JSON lines, or as one document."""
    path = folder / ("log.json" if content[:1] == b"J" else "log.jsonl")
    path.write_bytes(content.removeprefix(b"J"))
    examine(path).as_dict()


def check_csv(folder: Path, content: bytes) -> None:
    """Another trainer's log as CSV."""
    (folder / "log.csv").write_bytes(content)
    examine(folder / "log.csv").as_dict()


def check_events(folder: Path, content: bytes) -> None:
    """Records of TensorBoard, or one event that is wrapped in a record."""
    if content[:1] == b"E":
        content = HEADER.pack(len(content) - 1, 0) + content[1:] + bytes(4)
    (folder / "events.out.tfevents.1").write_bytes(content)
    examine(folder).as_dict()


def check_idx(folder: Path, content: bytes) -> None:
    """Images as IDX, gzipped or not."""
    name = "train-images-idx3-ubyte" + (".gz" if content[:2] == b"\x1f\x8b" else "")
    (folder / name).write_bytes(content)
    open_source(f"idx:{folder}")


def check_npz(folder: Path, content: bytes) -> None:
    """A .npz file, or arrays that are put into one whole: `N`, images, `N`, labels."""
    if content[:1] == b"N":
        arrays = content.split(b"N~")[1:]
        names = ("images.npy", "labels.npy")
        members = dict(zip(names, arrays, strict=False))
        content = _zipped(members)
    (folder / "a.npz").write_bytes(content)
    open_source(f"npz:{folder / 'a.npz'}")


def check_shards(folder: Path, content: bytes) -> None:
    """A file of TFRecord, or after `T` a tar file of WebDataset."""
    kind, name = ("webdataset", "a.tar") if content[:1] == b"T" else ("tfrecord", "a")
    (folder / name).write_bytes(content.removeprefix(b"T"))
    load_data(f"{kind}:{folder / name}", image_size=8)


def check_pth(folder: Path, content: bytes) -> None:
    """A file of torch.save, or a pickle that is put into one."""
    if content[:1] == b"Z":
        content = _zipped({"a/data.pkl": content[1:], "a/data/0": bytes(24)})
    (folder / "a.pth").write_bytes(content)
    read_state_dict(folder / "a.pth")


def check_onnx(folder: Path, content: bytes) -> None:
    """A model of ONNX, looked through for its first dense layer, and opened."""
    principal_directions(content, "latents", 4, 8)
    OnnxModel(content, folder / "a.onnx", "export the run again")


def _zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _card() -> list[bytes]:
    card = json.loads(SHIPPED_CARD.read_text())
    card["files"] = {}
    return [json.dumps(card).encode()]


def _config() -> list[bytes]:
    about = {
        "recipe": Recipe().as_dict(),
        "monitoring": Monitoring().as_dict(),
        **{"num_images": 9, "class_names": [], "skipped": [], "class_counts": []},
    }
    return [json.dumps(about).encode()]


def _rows() -> Iterator[dict[str, float]]:
    for k in range(30):
        yield {"step": 10 * k, "d_loss": 1.3, "g_loss": 0.9 + k / 9, "fid": 40.0 + k}


def _run_log() -> list[bytes]:
    return ["\n".join(map(json.dumps, _rows())).encode()]


def _json_log() -> list[bytes]:
    columns = {name: [row[name] for row in _rows()] for name in ("step", "d_loss")}
    nested = '{"Loss/G/loss": {"num": 4, "mean": 1.5}, "Progress/kimg": 1}\n'
    return [*_run_log(), nested.encode() * 5, b"J" + json.dumps(columns).encode()]


def _csv() -> list[bytes]:
    lines = [
        "step,d_loss,g_loss,fid",
        *(",".join(map(str, r.values())) for r in _rows()),
    ]
    wild = 'epoch;errD;errG\n0,1;"tensor(1.3, device=cuda)";1,000\n0,2;None;[1.5]\n'
    return ["\n".join(lines).encode(), wild.encode() * 3]


def _events() -> list[bytes]:
    from tensorboard.compat.proto.event_pb2 import Event

    records = []
    for row in _rows():
        event = Event(step=int(row["step"]), wall_time=1e9)
        for name in ("d_loss", "g_loss"):
            event.summary.value.add(tag=name, simple_value=row[name])
        records.append(event.SerializeToString())
    whole = b"".join(HEADER.pack(len(r), 0) + r + bytes(4) for r in records)
    return [whole, b"E" + records[0]]


def _idx() -> list[bytes]:
    content = b"\0\0\x08\x03" + struct.pack(">III", 4, 8, 8) + bytes(256)
    return [content, gzip.compress(content)]


def _npz() -> list[bytes]:
    arrays = [_npy(np.zeros((4, 8, 8), np.uint8)), _npy(np.arange(4))]
    return [
        _zipped({"images.npy": arrays[0], "labels.npy": arrays[1]}),
        b"N~" + b"N~".join(arrays),
    ]


def _shards() -> list[bytes]:
    picture, archive = io.BytesIO(), io.BytesIO()
    Image.new("L", (8, 8)).save(picture, "PNG")
    features = {
        "image": tf.train.Feature(bytes_list={"value": [picture.getvalue()]}),
        "label": tf.train.Feature(int64_list={"value": [1]}),
    }
    record = tf.train.Example(features={"feature": features}).SerializeToString()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for suffix, content in (("png", picture.getvalue()), ("cls", b"1")):
            member = tarfile.TarInfo(f"a.{suffix}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    record = HEADER.pack(len(record), 0) + record + bytes(4)
    return [record, b"T" + archive.getvalue()[:4096]]


def _pth() -> list[bytes]:
    storage = (
        b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + b"0X\3\0\0\0cpuK\6tQ"
    )
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage
    tensor += b"K\0K\2K\3\x86K\3K\1\x86\x89}tR"
    pickled = b"\x80\2}(X\1\0\0\0a" + tensor + b"u."
    legacy = [
        pickle.dumps(0x1950A86A20F9469CFC6C, 2),
        pickle.dumps(1001, 2),
        pickle.dumps({"little_endian": True}, 2),
        pickled,
        pickle.dumps(["0"], 2),
        struct.pack("<q", 6) + bytes(24),
    ]
    whole = _zipped({"a/data.pkl": pickled, "a/data/0": bytes(24)})
    return [b"Z" + pickled, b"".join(legacy), whole]


def _onnx() -> list[bytes]:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = onnx.numpy_helper.from_array(np.eye(4, 12, dtype=np.float32), "weights")
    dense = helper.make_node("MatMul", ["latents", "weights"], ["flat"])
    graph = helper.make_graph(
        [dense, helper.make_node("Tanh", ["flat"], ["images"])],
        "generator",
        [helper.make_tensor_value_info("latents", kind, ["batch", 4])],
        [helper.make_tensor_value_info("images", kind, ["batch", 12])],
        [weights],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
    return [model.SerializeToString()]


Check = Callable[[Path, bytes], None]
TARGETS: dict[str, tuple[Check, Callable[[], list[bytes]]]] = {
    "card": (check_card, _card),
    "config": (check_config, _config),
    "run-log": (check_run_log, _run_log),
    "json": (check_json_log, _json_log),
    "csv": (check_csv, _csv),
    "events": (check_events, _events),
    "idx": (check_idx, _idx),
    "npz": (check_npz, _npz),
    "shards": (check_shards, _shards),
    "pth": (check_pth, _pth),
    "onnx": (check_onnx, _onnx),
}


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """A file with a few bytes changed, cut, doubled, inserted or moved."""
    data = bytearray(content)
    for _ in range(generator.integers(1, 5)):
        start = int(generator.integers(len(data) + 1))
        end = min(len(data), start + int(generator.integers(1, 40)))
        change = generator.integers(6)
        if change == 0 and start < len(data):
            data[start] = int(generator.integers(256))
        elif change == 1 and start < len(data):
            data[start] = int(generator.choice(INTERESTING))
        elif change == 2:
            del data[start:end]
        elif change == 3:
            data[start:start] = data[start:end] * int(generator.integers(1, 9))
        elif change == 4:
            data[start:start] = WORDS[generator.integers(len(WORDS))]
        else:
            data[start:end] = WORDS[generator.integers(len(WORDS))]
    return bytes(data[:MAX_BYTES])


def give(name: str, content: bytes) -> None:
    """Gives a file's bytes to the reader of a target; only `UserError` is let by."""
    check, _ = TARGETS[name]
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        try:
            check(Path(folder), content)
        except UserError as error:
            if "\n" in str(error):
                raise AssertionError(f"more than one line: {error!r}") from error


def run_mutations(
    name: str, *, seed: int = 0, count: int | None = None, seconds: float = 1e9
) -> int:
    """Gives whole files and mutations of them to a reader.

    Args:
        name: One of `TARGETS`.
        seed: Integer, 0 or more.
        count: Integer: how many mutations, or `None` for as many as time allows.
        seconds: Float: after how long to end.

    Returns:
        How many files were given.
    """
    whole = TARGETS[name][1]()
    check = TARGETS[name][0]
    for content in whole:  # which no reader refuses
        with tempfile.TemporaryDirectory() as folder:
            check(Path(folder), content)
    generator = np.random.default_rng(seed)
    start, done = time.monotonic(), 0
    while done != count and time.monotonic() - start < seconds:
        content = mutated(whole[generator.integers(len(whole))], generator)
        try:
            give(name, content)
        except Exception:
            Path(f"crash-{name}").write_bytes(content)
            raise
        done += 1
    return done


def run_atheris(name: str, seconds: float) -> None:
    """Lets atheris lead the inputs; ends the process."""
    with tempfile.TemporaryDirectory() as corpus:
        for index, content in enumerate(TARGETS[name][1]()):
            (Path(corpus) / str(index)).write_bytes(content)

        def test_one(content: bytes) -> None:
            give(name, content)

        options = [
            *(f"-max_total_time={int(seconds)}", f"-max_len={MAX_BYTES}"),
            *("-timeout=10", "-rss_limit_mb=4096", f"-artifact_prefix=crash-{name}-"),
        ]
        atheris.Setup([sys.argv[0], *options, corpus], test_one)
        atheris.Fuzz()


def main() -> None:
    """Fuzzes one target in this process, or all in one each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=["all", *TARGETS])
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="without atheris")
    options = parser.parse_args()
    if options.target == "all":
        codes = [
            subprocess.run([sys.executable, __file__, name, *sys.argv[2:]]).returncode
            for name in TARGETS
        ]
        sys.exit(int(any(codes)))
    if atheris is not None:
        run_atheris(options.target, options.seconds)
    try:
        done = run_mutations(options.target, seed=options.seed, seconds=options.seconds)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    print(f"{options.target}: {done:,} files, UserError alone")


if __name__ == "__main__":
    main()
