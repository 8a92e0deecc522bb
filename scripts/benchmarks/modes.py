"""Which modes do GANs find, and what helps?

    apt-get install dataset-fashion-mnist
    python scripts/benchmarks/modes.py

Trains what is listed below for 5 seeds, one run a core. Finished runs are kept
in runs/modes, so that a stopped benchmark goes on where it was. Writes
runs/modes/modes.json, with every run and the mean and spread over seeds, and
runs/modes/modes.png.

ring, grid    8 and 25 Gaussians. The baseline and PacGAN-2 have PacGAN's
              networks, rate and batch, but 3,000 steps where its authors take
              400,000. Modes hit, and the share of points within 3 deviations
              of one, of 2,500 points.
stacked       Three images of 16 pixels as colour channels, 1,000 modes, told by
              a classifier of single images. Modes found among 26,000 generated
              images, and their reverse KL to equal shares.
conditional   The share of 5,000 generated images of 28 pixels that a
              classifier takes for what was asked for.
small         1,000 images of 16 pixels (10 % of those in the package), with
              and without augmentation: Fréchet distance of 10,000 generated
              images to the 10,000 test images in the classifier's last hidden
              layer.
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
from tqdm import tqdm

from ganlab import metrics, pictures
from ganlab.config.presets import get_preset
from ganlab.data.toy2d import MIXTURES

FASHION = "/usr/share/datasets/fashion-mnist"
NUM_POINTS, NUM_STACKED, NUM_LABELLED, NUM_SMALL = 2500, 26_000, 5000, 10_000
NUM_FEW = 1000
TRAINING_STACKS = 128_000
R3GAN_STEPS = {"ring": 8000, "grid": 20_000}
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def experiments():
    """`experiment/variant` -> its `Recipe`, of seed 0."""
    found = {}
    pacgan = {
        "generator_learning_rate": 1e-4,
        "discriminator_learning_rate": 1e-4,
        "beta_1": 0.8,
        "batch_size": 100,
        "steps": 3000,
    }
    for shape in MIXTURES:
        plain = get_preset("dcgan").replace(data=shape, **pacgan)
        found[f"{shape}/non-saturating"] = plain
        found[f"{shape}/PacGAN-2"] = plain.replace(packing=2, batch_size=200)
        found[f"{shape}/r3gan"] = get_preset("r3gan").replace(
            data=shape, steps=R3GAN_STEPS[shape], batch_size=100, regularizer_every=1
        )
    quick = {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 1e-3}
    stacked = get_preset("dcgan").replace(
        data="stacked", image_size=16, latent_dim=128, steps=8000, **quick
    )
    found["stacked/non-saturating"] = stacked
    found["stacked/relativistic+R1+R2"] = stacked.replace(
        loss="relativistic",
        regularizer="r1+r2",
        regularizer_weight=0.05,
        regularizer_every=4,
        beta_1=0.0,
        beta_2=0.99,
        final_rate_share=0.05,
        steps=10_000,
    )
    found["conditional/projection"] = get_preset("dcgan").replace(
        image_size=28, steps=3000
    )
    small = get_preset("dcgan").replace(
        data="small",
        image_size=16,
        discriminator_filters=64,
        discriminator_normalization="none",
        batch_size=32,
        steps=8000,
        **quick,
    )
    found["small/no augmentation"] = small
    found["small/translation"] = small.replace(
        augmentation="diffaugment", augmentation_policy="translation"
    )
    return found


def main():
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
        run_one(name, recipe_of(name, int(seed), options), options)
        return
    started = time.perf_counter()
    names = [name for name in experiments() if options.only in name]
    images = [name for name in names if experiment_of(name) not in MIXTURES]
    for folder, size in {judged_by(name, options) for name in images}:
        judge(folder, size, options.out)
    runs = run_all(names, options)
    report = summarise(runs, options)
    report["seconds"] = round(time.perf_counter() - started)
    path = options.out / "modes.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    draw(report, options)
    print_table(report)
    print(f"{path}\n{path.with_suffix('.png')}")


def recipe_of(name, seed, options):
    recipe = experiments()[name].replace(seed=seed)
    return recipe if options.steps is None else recipe.replace(steps=options.steps)


def experiment_of(name):
    return name.partition("/")[0]


def judged_by(name, options):
    """Folder and size of the images that an experiment is about."""
    stacked = experiment_of(name) == "stacked"
    folder = options.stacked if stacked else options.fashion
    return folder, experiments()[name].image_size


def path_of(name, seed, options):
    return options.out / f"{name.replace('/', '-')}-{seed}.json"


def run_all(names, options):
    """Runs what is not there yet, a process a core; returns every run's record."""
    records, jobs = [], []
    for seed in range(options.seeds):
        for name in names:
            record = finished(name, seed, options)
            if record is None:
                jobs.append((name, seed))
            else:
                records.append(record)
    bar = tqdm(total=len(records) + len(jobs), initial=len(records), unit=" runs")

    def work(job):
        name, seed = job
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
        return finished(name, seed, options)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        futures = [pool.submit(work, job) for job in jobs]
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


def finished(name, seed, options):
    """The record of a run of this very recipe, or `None`."""
    path = path_of(name, seed, options)
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    wanted = recipe_of(name, seed, options).as_dict()
    return record if record["recipe"] == wanted else None


def run_one(name, recipe, options):
    """Trains and scores one run, and writes its record."""
    import keras

    from ganlab.config.resolve import complete
    from ganlab.training.build import build_gan

    started = time.perf_counter()
    data = training_data(name, recipe, options)
    resolved = complete(recipe, data.image_size, data.channels)
    num_classes = len(data.class_names) or None
    execution = 1 if data.kind.pictorial else 50
    gan = build_gan(resolved, num_classes, steps_per_execution=execution)
    batches = data.batches(
        resolved.batch_size,
        seed=resolved.seed,
        labels=num_classes is not None,
        flip=resolved.flip,
    )
    gan.fit(
        batches,
        steps_per_epoch=resolved.steps,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.TerminateOnNaN()],
    )
    trained = time.perf_counter() - started
    scores = score(name, gan, resolved, options)
    record = {
        "name": name,
        "seed": resolved.seed,
        "scores": scores,
        "seconds": round(trained, 1),
        "recipe": recipe.as_dict(),
    }
    path_of(name, resolved.seed, options).write_text(json.dumps(record) + "\n")


def training_data(name, recipe, options):
    """The `ImageData` that an experiment trains on."""
    from ganlab.data.image_data import ImageData
    from ganlab.data.loading import load_data

    experiment = experiment_of(name)
    if experiment in MIXTURES:
        return load_data(experiment)
    folder, size = judged_by(name, options)
    data = load_data(f"idx:{folder}:train", image_size=size)
    if experiment == "stacked":
        images = stacks(data.images, TRAINING_STACKS, recipe.seed)
        return ImageData("stacked", images, None, (), ())
    if experiment == "conditional":
        return data
    some = np.random.default_rng(recipe.seed).permutation(len(data.images))[:NUM_FEW]
    return ImageData(
        "small", data.images[some], data.labels[some], data.class_names, ()
    )


def stacks(singles, count, seed):
    """Draws triples of grey images and stacks each as three colour channels."""
    which = np.random.default_rng(seed).integers(len(singles), size=(count, 3))
    return np.stack([singles[which[:, k], :, :, 0] for k in range(3)], axis=-1)


def score(name, gan, recipe, options):
    """What an experiment measures of a trained GAN; also draws its samples."""
    from ganlab.callbacks import DecisionSurface

    experiment = experiment_of(name)
    picture = path_of(name, recipe.seed, options).with_suffix(".png")
    if experiment in MIXTURES:
        mixture = MIXTURES[experiment]
        points = gan.sample(NUM_POINTS, seed=1)
        np.save(picture.with_suffix(".npy"), points)
        plane = DecisionSurface(picture.with_suffix(""), mixture)
        plane.set_model(gan)
        plane.run(recipe.steps)
        real, _ = mixture.sample(NUM_POINTS, seed=1)
        return metrics.mode_scores(points, mixture.centers, mixture.deviation) | (
            metrics.grid_divergences(real, points, mixture.extent)
        )
    pictures.save(gan.sample(40, seed=2), picture, columns=10)
    folder, size = judged_by(name, options)
    known = judge(folder, size, options.out)
    if experiment == "stacked":
        return stacked_scores(gan.sample(NUM_STACKED, seed=1), known)
    if experiment == "conditional":
        labels = np.arange(NUM_LABELLED) % gan.num_classes
        answers = classes_of(gan.sample(NUM_LABELLED, 1, labels), known)
        return {"label_accuracy": float(np.mean(answers == labels))}
    test = test_images(folder, size)
    drawn = gan.sample(NUM_SMALL, seed=1)
    return {
        "fid": metrics.frechet_distance(
            features_of(test.images, known), features_of(drawn, known)
        )
    }


def stacked_scores(images, known):
    """Modes found and reverse KL of stacked images."""
    answers = sum(classes_of(images[..., k : k + 1], known) * 10**k for k in range(3))
    return {
        "modes": len(np.unique(answers)),
        "reverse_kl": metrics.reverse_kl(answers, 1000),
    }


def judge(folder, size, out):
    """The classifier of single images, trained on its first use."""
    path = out / f"judge-{Path(folder).name}-{size}.keras"
    return trained_judge(path, folder, size)


def test_images(folder, size):
    from ganlab.data.loading import load_data

    return load_data(f"idx:{folder}:test", image_size=size)


def trained_judge(path, folder, image_size=28):
    """Loads the judge, or trains it on the real training images."""
    import keras

    from ganlab.data.loading import load_data

    if path.exists():
        return keras.saving.load_model(path, safe_mode=True)
    keras.utils.set_random_seed(0)
    train = load_data(f"idx:{folder}:train", image_size=image_size)
    layers = keras.layers
    judge = keras.Sequential(
        [
            keras.Input((image_size, image_size, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    epochs, batch_size = 6, 128
    steps = epochs * -(-len(train.images) // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    judge.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    judge.fit(
        scaled(train.images),
        train.labels,
        batch_size=batch_size,
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report_epoch)],
        verbose=0,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    judge.save(path)
    return judge


def report_epoch(epoch, logs):
    print(f"judge: epoch {epoch + 1}, loss {logs['loss']:.3f}", file=sys.stderr)


def scaled(images):
    return images.astype(np.float32) / 255.0


def classes_of(images, known):
    return known.predict(scaled(images), batch_size=500, verbose=0).argmax(axis=1)


def features_of(images, known):
    """Outputs of the classifier's last hidden layer."""
    import keras

    hidden = [layer for layer in known.layers if isinstance(layer, keras.layers.Dense)]
    extractor = keras.Model(known.inputs[0], hidden[-2].output)
    return extractor.predict(scaled(images), batch_size=500, verbose=0)


def summarise(runs, options):
    """Mean, spread and worst over seeds, and what the classifier says of real data."""
    report = {"experiments": {}, "real": {}}
    for name in experiments():
        records = sorted(
            (run for run in runs if run["name"] == name), key=lambda run: run["seed"]
        )
        if not records:
            continue
        scores = {
            key: [record["scores"][key] for record in records]
            for key in records[0]["scores"]
        }
        report["experiments"][name] = {
            "scores": {
                key: {
                    "mean": float(np.mean(values)),
                    "std": float(np.std(values)),
                    "runs": values,
                }
                for key, values in scores.items()
            },
            "seconds": [record["seconds"] for record in records],
            "recipe": records[0]["recipe"],
        }
    for name in report["experiments"]:
        experiment = experiment_of(name)
        if experiment in MIXTURES or experiment in report["real"]:
            continue
        folder, size = judged_by(name, options)
        test, known = test_images(folder, size), judge(folder, size, options.out)
        right = np.mean(classes_of(test.images, known) == test.labels)
        report["real"][experiment] = {"classifier_accuracy": float(right)}
        if experiment == "stacked":
            images = stacks(test.images, NUM_STACKED, seed=0)
            report["real"][experiment] |= stacked_scores(images, known)
    return report


def print_table(report):
    for name, found in report["experiments"].items():
        for key, value in found["scores"].items():
            runs = " ".join(f"{run:.4g}" for run in value["runs"])
            mean, spread = f"{value['mean']:.4g}", f"{value['std']:.2g}"
            print(f"{name:28} {key:19} {mean:>7} ± {spread:7} [{runs}]")
    for experiment, scores in report["real"].items():
        print(f"real images of {experiment}: {scores}")


def draw(report, options):
    """Points of seed 0 above; below, every run's score beside the mean."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = report["experiments"]
    planes = [name for name in found if experiment_of(name) in MIXTURES]
    bars = [
        (experiment, key, title)
        for experiment, key, title in (
            ("ring", "high_quality_share", "ring: high-quality share"),
            ("grid", "modes_hit", "grid: modes hit, of 25"),
            ("grid", "high_quality_share", "grid: high-quality share"),
            ("stacked", "modes", "stacked: modes, of 1,000"),
            ("stacked", "reverse_kl", "stacked: reverse KL"),
            ("conditional", "label_accuracy", "label fidelity"),
            (
                "small",
                "fid",
                "1,000 images: Fréchet",
            ),
        )
        if any(name.startswith(experiment + "/") for name in found)
    ]
    columns = max(len(planes), len(bars), 1)
    figure = Figure(figsize=(3 * columns, 7), dpi=100, layout="constrained")
    for index, name in enumerate(planes):
        mixture = MIXTURES[experiment_of(name)]
        axes = figure.add_subplot(2, columns, index + 1, aspect="equal")
        points = np.load(path_of(name, 0, options).with_suffix(".npy"))
        axes.scatter(*mixture.centers.T, s=60, color="#a6dba0", label="modes")
        axes.scatter(*points.T, s=1, color="#762a83", label="fake")
        axes.set(
            xlim=(-mixture.extent, mixture.extent),
            ylim=(-mixture.extent, mixture.extent),
            xticks=[],
            yticks=[],
            title=name,
        )
    for index, (experiment, key, title) in enumerate(bars):
        axes = figure.add_subplot(2, columns, columns + index + 1, title=title)
        names = [name for name in found if name.startswith(experiment + "/")]
        for place, name in enumerate(names):
            value = found[name]["scores"][key]
            axes.bar(place, value["mean"], color="#c2a5cf")
            runs = value["runs"]
            axes.scatter([place] * len(runs), runs, s=12, color="#40004b", zorder=2)
        labels = [name.partition("/")[2] for name in names]
        axes.set_xticks(range(len(names)), labels, rotation=15, fontsize=8)
    FigureCanvasAgg(figure).print_png(options.out / "modes.png")


if __name__ == "__main__":
    main()
