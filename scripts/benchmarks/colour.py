"""Trains on a folder of colour pictures beside Keras's and PyTorch's own examples.

    python scripts/get_emoji --out data/emoji
    python scripts/benchmarks/colour.py --data folder:data/emoji/google \\
        --family folder:data/emoji/twitter --out runs/colour

Each contender is one process, trained by turns of a minute, so that all have the same
minutes of the same machine, their start included. At a quarter, a half and the end of
the time each draws as many images as there are pictures. They are scored in the
features of a small classifier that has learnt another artist's pictures of the same
things (`--family`), and in those of `--features`, against the training pictures; so are
a random half of these against the other half.

A contender is `keras.io`, `pytorch` (both the DCGAN of their examples),
`lightweight-gan` (PyTorch, a CPU as its GPU; it draws five images a second there), or
`ganlab:PRESET[,SETTING=VALUE...]`. It writes colour.json, colour.md and colour.png.
What is there already is not trained again. Time on 2 cores: contenders by seeds by
minutes.
"""

import argparse
import json
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm
from turns import Contender, log, torch_python

WORKER = Path(__file__).with_name("colour_worker.py")
CONTENDERS = ("ganlab:dcgan", "ganlab:emoji", "keras.io", "pytorch")
OF_PYTORCH = ("pytorch", "lightweight-gan")
MOMENTS = (0.25, 0.5, 1.0)
TURN = 60.0  # seconds
EPOCHS = 12  # of the classifier
SHOWN = ("fid", "kid", "precision", "recall", "coverage", "copied_share")
COLUMNS, ROWS, GAP = 10, 3, 12


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", required=True, help="SPEC of the pictures")
    add("--family", help="SPEC of labelled pictures that the classifier learns")
    add("--features", nargs="*", default=[], help="SPECs of further extractors")
    add("--contenders", nargs="+", default=CONTENDERS, metavar="NAME")
    add("--size", type=int, default=64, help="of the pictures (default %(default)s)")
    add("--minutes", type=float, default=20.0, help="each (default %(default)s)")
    add("--seeds", type=int, default=1, help="default %(default)s")
    add("--out", type=Path, default=Path("runs/colour"))
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    pixels = write_pictures(options.data, options.size, out / "pictures")
    jobs = [
        (name, seed) for seed in range(options.seeds) for name in options.contenders
    ]
    missing = [job for job in jobs if not (folder_of(out, *job) / "done").exists()]
    if missing:
        train(missing, len(pixels), options, out)
    extractors = list(options.features)
    if options.family:
        extractors.insert(0, f"model:{family_classifier(options, out)}")
    scores = score(jobs, options, extractors, out)
    table = as_table(scores)
    (out / "colour.json").write_text(json.dumps(scores, indent=2) + "\n")
    (out / "colour.md").write_text(table)
    draw(jobs, pixels, out)
    print(table)


def folder_of(out: Path, name: str, seed: int) -> Path:
    """Where the images and times of a contender go."""
    return out / f"{re.sub(r'[^a-z0-9.=]+', '-', name)}-{seed}"


def write_pictures(spec: str, size: int, folder: Path) -> np.ndarray:
    """Writes the pictures as PNG files, as every contender gets them; returns them."""
    from ganlab import load_data

    pixels = load_data(spec, image_size=size).images
    if not (folder / "done").exists():
        (folder / "all").mkdir(parents=True, exist_ok=True)
        for index, image in enumerate(pixels):
            Image.fromarray(image).save(folder / "all" / f"{index:05}.png")
        (folder / "done").touch()
    return pixels


def train(jobs: list[tuple[str, int]], count: int, options: Any, out: Path) -> None:
    """Trains by turns, and keeps images and steps of every moment."""
    torch = None
    if any(name in OF_PYTORCH for name, _ in jobs):
        torch = torch_python(out.parent / "torch", "torchvision", "lightweight-gan")
    seconds = 60 * options.minutes
    ends = [moment * seconds for moment in MOMENTS]
    bar = tqdm(total=round(seconds * len(jobs)), unit="s", desc="training")
    running: dict[tuple[str, int], Contender] = {}
    clocks: dict[tuple[str, int], float] = {}
    records: dict[tuple[str, int], list[dict[str, float]]] = {}
    for name, seed in jobs:
        work = folder_of(out, name, seed)
        work.mkdir(exist_ok=True)
        python = torch if name in OF_PYTORCH else sys.executable
        command = [python, WORKER, name, "--seed", str(seed), "--work", work]
        command += ["--data", options.data, "--size", str(options.size)]
        command += ["--pictures", out / "pictures"]
        running[name, seed] = Contender(name, command)
        clocks[name, seed], records[name, seed] = 0.0, []
    while running:
        for job, contender in list(running.items()):
            due = ends[len(records[job])]
            began = time.perf_counter()
            contender.turn(f"go {min(TURN, due - clocks[job]):.3f}")
            passed = time.perf_counter() - began
            clocks[job] += passed
            bar.update(round(passed))
            if clocks[job] < due - 0.5:
                continue
            path = folder_of(out, *job) / f"{len(records[job])}.npy"
            answer = contender.turn(f"sample {count} {path}")
            records[job].append({"seconds": clocks[job], "steps": answer["step"]})
            if len(records[job]) == len(ends):
                contender.process.kill()
                text = json.dumps(records[job])
                (folder_of(out, *job) / "done").write_text(text)
                del running[job]
    bar.close()


def family_classifier(options: Any, out: Path) -> Path:
    """A small network that tells the classes of the other family, trained once.

    It takes images in [-1, 1] and gives 128 means of its last convolution.
    """
    path = out / "classifier.keras"
    if path.exists():
        return path
    log("training the classifier of the other family")
    import keras
    from keras import layers

    from ganlab import load_data

    keras.utils.set_random_seed(0)
    data = load_data(options.family, image_size=options.size)
    images = data.images.astype(np.float32) / 127.5 - 1
    count, rest = len(np.unique(data.labels)), np.arange(len(images)) % 10 == 0
    inputs = keras.Input(images.shape[1:])
    x = inputs
    for filters in (32, 64, 128, 128):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D()(x)
    features = layers.GlobalAveragePooling2D()(x)
    logits = layers.Dense(count)(layers.Dropout(0.3)(features))
    trainer = keras.Model(inputs, logits)
    steps = EPOCHS * -(-int((~rest).sum()) // 64)
    trainer.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    trainer.fit(
        images[~rest],
        data.labels[~rest],
        batch_size=64,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
    )
    _, accuracy = trainer.evaluate(images[rest], data.labels[rest], verbose=0)
    log(f"right on {accuracy:.1%} of the tenth held out")
    keras.Model(inputs, features).save(path)
    return path


def report(epoch: int, logs: Any) -> None:
    log(f"epoch {epoch + 1} of {EPOCHS}: {logs['accuracy']:.1%} right")


def score(
    jobs: list[tuple[str, int]], options: Any, extractors: list[str], out: Path
) -> dict[str, Any]:
    """Scores of every contender, seed, moment and extractor; of real halves too."""
    from ganlab import load_data
    from ganlab.evaluation import evaluate, evaluate_real, load_reference

    data = load_data(options.data, image_size=options.size)
    scores: dict[str, Any] = {}
    for spec in extractors:
        reference = load_reference(data, features=spec)
        name = Path(spec.partition(":")[2] or spec).stem
        table = scores[name] = {"real halves": [[read(evaluate_real(reference))]]}
        for job in tqdm(jobs, f"scores by {name}"):
            folder = folder_of(out, *job)
            moments = json.loads((folder / "done").read_text())
            for index, moment in enumerate(moments):
                images = np.load(folder / f"{index}.npy")
                moment |= read(evaluate(reference, images))
            table.setdefault(job[0], []).append(moments)
    return scores


def read(evaluation: Any) -> dict[str, float]:
    return {name: float(evaluation.scores[name].value) for name in SHOWN}


def as_table(scores: dict[str, Any]) -> str:
    """The report as Markdown: medians over seeds, and their range of the FID."""
    lines = []
    for extractor, table in scores.items():
        lines += [f"Features: {extractor}", ""]
        lines.append(f"| | minutes | steps | {' | '.join(SHOWN)} |")
        lines.append("|---" * (3 + len(SHOWN)) + "|")
        for name, runs in table.items():
            for index in range(len(runs[0])):
                rows = [run[index] for run in runs]
                cells = [
                    f"{statistics.median(r[key] for r in rows):.3g}" for key in SHOWN
                ]
                if len(rows) > 1:
                    fids = [row["fid"] for row in rows]
                    cells[0] += f" [{min(fids):.3g}, {max(fids):.3g}]"
                minutes = steps = ""
                if "seconds" in rows[0]:
                    minutes = f"{rows[0]['seconds'] / 60:.1f}"
                    steps = f"{statistics.median(r['steps'] for r in rows):,.0f}"
                lines.append(f"| {name} | {minutes} | {steps} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def draw(jobs: list[tuple[str, int]], pixels: np.ndarray, out: Path) -> None:
    """Rows of images of each contender at its end, the first ones that it drew."""
    rows = {"training pictures": pixels[:: len(pixels) // (COLUMNS * ROWS)]}
    for name, seed in jobs:
        if seed == 0:
            path = folder_of(out, name, seed) / f"{len(MOMENTS) - 1}.npy"
            rows[name] = np.load(path)
    side = pixels.shape[1]
    height = ROWS * side + 2 * GAP
    sheet = Image.new("RGB", (COLUMNS * side, height * len(rows)), "white")
    pen = ImageDraw.Draw(sheet)
    for band, (name, images) in enumerate(rows.items()):
        pen.text((2, band * height + 2), name, fill="black")
        for index, image in enumerate(images[: COLUMNS * ROWS]):
            place = index % COLUMNS * side, index // COLUMNS * side
            top = band * height + 2 * GAP - 6 + place[1]
            sheet.paste(Image.fromarray(image), (place[0], top))
    sheet.save(out / "colour.png")


if __name__ == "__main__":
    main()
