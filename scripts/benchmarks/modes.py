"""Which modes GANs find, and what helps.

    apt-get install dataset-fashion-mnist
    python scripts/benchmarks/modes.py

Trains the recipes of `modes_runs` for 5 seeds, one run a core. Finished runs are kept
in runs/modes, so that a stopped benchmark goes on where it was. Writes
runs/modes/modes.json, with every run and the mean and spread over seeds, and
runs/modes/modes.png.

ring, grid    8 and 25 Gaussians. The baseline and PacGAN-2 have PacGAN's
              networks, rate and batch, but 3,000 steps where its authors take
              400,000. Modes hit, and the fraction of samples within 3 deviations
              of one, of 2,500 samples.
stacked       Three images of 16 pixels as colour channels, 1,000 modes, told by
              a classifier of single images. Modes found among 26,000 generated
              images, and their reverse KL to equal frequencies.
conditional   The fraction of 5,000 generated images of 28 pixels whose class,
              by a classifier, is their label.
small         1,000 images of 16 pixels (10 % of those in the package), with
              and without augmentation: FID of 10,000 generated images to the
              10,000 test images in the classifier's last hidden layer.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from modes_runs import (
    MIXTURES,
    NUM_STACKED,
    experiment_of,
    make_recipes,
    read_record,
    real_images_of,
    record_path,
    run,
    score_stacks,
    stack_images,
)
from tqdm import tqdm

from ganlab.safety.limits import usable_cores

FASHION = "/usr/share/datasets/fashion-mnist"
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
CHARTS = (
    ("ring", "high_quality_share", "ring: high-quality fraction"),
    ("grid", "modes_hit", "grid: modes hit, of 25"),
    ("grid", "high_quality_share", "grid: high-quality fraction"),
    ("stacked", "modes", "stacked: modes, of 1,000"),
    ("stacked", "reverse_kl", "stacked: reverse KL"),
    ("conditional", "label_accuracy", "label accuracy"),
    ("small", "fid", "1,000 images: FID"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/modes"), help="default %(default)s")
    add("--seeds", type=int, default=5, metavar="N", help="default %(default)s")
    add("--only", default="", metavar="TEXT", help="experiments whose name holds it")
    add("--steps", type=int, metavar="N", help="steps of every run, for a quick look")
    add("--fashion", default=FASHION, metavar="DIR", help="IDX files of Fashion-MNIST")
    add(
        "--stacked",
        metavar="DIR",
        help="IDX files to stack, such as MNIST's (default: those of --fashion)",
    )
    add("--run", nargs=2, metavar=("NAME", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.stacked = options.stacked or options.fashion
    options.out.mkdir(parents=True, exist_ok=True)
    if options.run:
        name, seed = options.run
        run(name, int(seed), options)
        return
    started = time.perf_counter()
    names = [name for name in make_recipes() if options.only in name]
    images = [name for name in names if experiment_of(name) not in MIXTURES]
    for folder, size in {real_images_of(name, options) for name in images}:
        from modes_classifier import load_classifier

        load_classifier(folder, size, options.out)
    records = run_all(names, options)
    report = summarize(records, options)
    report["seconds"] = round(time.perf_counter() - started)
    path = options.out / "modes.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    plot(report, options)
    print_table(report)
    print(f"{path}\n{path.with_suffix('.png')}")


def run_all(names: list[str], options) -> list[dict]:
    """Runs what is not there yet, a process a core; returns every run's record."""
    records, jobs = [], []
    for seed in range(options.seeds):
        for name in names:
            record = read_record(name, seed, options)
            if record is None:
                jobs.append((name, seed))
            else:
                records.append(record)
    bar = tqdm(total=len(records) + len(jobs), initial=len(records), unit=" runs")

    def work(name: str, seed: int) -> dict:
        command = [sys.executable, __file__, "--run", name, str(seed)]
        for option in ("out", "fashion", "stacked", "steps"):
            if getattr(options, option) is not None:
                command += [f"--{option}", str(getattr(options, option))]
        environment = os.environ | THREADS | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{name}, seed {seed}: {done.stderr[-2000:]}")
        return read_record(name, seed, options)

    with ThreadPoolExecutor(usable_cores()) as pool:
        futures = [pool.submit(work, *job) for job in jobs]
        for future in as_completed(futures):
            try:
                records.append(future.result())
            except RuntimeError as error:
                pool.shutdown(wait=False, cancel_futures=True)
                sys.exit(f"modes: a run failed; {error}")
            bar.set_postfix_str(records[-1]["name"])
            bar.update()
    bar.close()
    return records


def summarize(records: list[dict], options) -> dict:
    """Mean and spread over seeds, and the same scores of real images."""
    report = {"experiments": {}, "real": {}}
    for name in make_recipes():
        runs = sorted(
            (record for record in records if record["name"] == name),
            key=lambda record: record["seed"],
        )
        if not runs:
            continue
        scores = {}
        for key in runs[0]["scores"]:
            values = [run["scores"][key] for run in runs]
            mean, std = float(np.mean(values)), float(np.std(values))
            scores[key] = {"mean": mean, "std": std, "runs": values}
        report["experiments"][name] = {
            "scores": scores,
            "seconds": [run["seconds"] for run in runs],
            "recipe": runs[0]["recipe"],
        }
    for name in report["experiments"]:
        experiment = experiment_of(name)
        if experiment not in MIXTURES and experiment not in report["real"]:
            report["real"][experiment] = score_real(name, options)
    return report


def score_real(name: str, options) -> dict[str, float]:
    """Accuracy of the classifier on real images; of stacked ones their modes too."""
    from modes_classifier import load_classifier, load_test_images, predict_classes

    folder, size = real_images_of(name, options)
    classifier = load_classifier(folder, size, options.out)
    test = load_test_images(folder, size)
    correct = predict_classes(test.images, classifier) == test.labels
    scores = {"classifier_accuracy": float(np.mean(correct))}
    if experiment_of(name) == "stacked":
        images = stack_images(test.images, NUM_STACKED, seed=0)
        scores |= score_stacks(images, classifier)
    return scores


def print_table(report: dict) -> None:
    for name, experiment in report["experiments"].items():
        for key, score in experiment["scores"].items():
            runs = " ".join(f"{value:.4g}" for value in score["runs"])
            mean, spread = f"{score['mean']:.4g}", f"{score['std']:.2g}"
            print(f"{name:28} {key:19} {mean:>7} ± {spread:7} [{runs}]")
    for experiment, scores in report["real"].items():
        print(f"real images of {experiment}: {scores}")


def plot(report: dict, options) -> None:
    """Toy samples of seed 0 above; below, every run's score beside the mean."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    experiments = report["experiments"]
    toys = [name for name in experiments if experiment_of(name) in MIXTURES]
    present = {experiment_of(name) for name in experiments}
    charts = [chart for chart in CHARTS if chart[0] in present]
    columns = max(len(toys), len(charts), 1)
    figure = Figure(figsize=(3 * columns, 7), dpi=100, layout="constrained")
    for index, name in enumerate(toys):
        mixture = MIXTURES[experiment_of(name)]
        axes = figure.add_subplot(2, columns, index + 1, aspect="equal")
        fake = np.load(record_path(name, 0, options).with_suffix(".npy"))
        axes.scatter(*mixture.centers.T, s=60, color="#a6dba0", label="modes")
        axes.scatter(*fake.T, s=1, color="#762a83", label="fake")
        axes.set(
            xlim=(-mixture.extent, mixture.extent),
            ylim=(-mixture.extent, mixture.extent),
            xticks=[],
            yticks=[],
            title=name,
        )
    for index, (experiment, key, title) in enumerate(charts):
        axes = figure.add_subplot(2, columns, columns + index + 1, title=title)
        names = [name for name in experiments if experiment_of(name) == experiment]
        for position, name in enumerate(names):
            score = experiments[name]["scores"][key]
            axes.bar(position, score["mean"], color="#c2a5cf")
            runs = score["runs"]
            axes.scatter([position] * len(runs), runs, s=12, color="#40004b", zorder=2)
        labels = [name.partition("/")[2] for name in names]
        axes.set_xticks(range(len(names)), labels, rotation=15, fontsize=8)
    FigureCanvasAgg(figure).print_png(options.out / "modes.png")


if __name__ == "__main__":
    main()
