"""How long do the metrics take, beside torch-fidelity and prdc on the same features?

    pip install -e ".[dev]"
    python scripts/benchmarks/metrics.py

Takes 10,000 against 10,000 random feature vectors of 2,048 numbers, measures
both sides alternately, and prints medians, ratios and how far the numbers lie
apart. Ours are float64 with bootstrap intervals; torch-fidelity's are float32, without.
Then 50,000 vectors in a process of their own, for the memory. One JSON document
on stdout.

Time on 2 cores: 12 minutes, half of them for 50,000 vectors.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
from memory import peak

from ganlab import metrics
from ganlab.features.extractors import class_probabilities

DIM, MANY = 2048, 50_000


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--count", type=int, default=10_000, help="images (default %(default)s)")
    add("--repeats", type=int, default=3, help="default %(default)s")
    add("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        print(json.dumps(memory_of(options.memory_of)))
        return
    torch_fidelity = import_torch_fidelity()
    real, fake = draw(options.count)
    seconds, values = {}, {}
    for repeat in range(options.repeats):
        say(f"round {repeat + 1} of {options.repeats}")
        for measured in (ours(real, fake), theirs(torch_fidelity, real, fake)):
            for name, run in measured.items():
                start = time.perf_counter()
                values.update(run())
                seconds.setdefault(name, []).append(time.perf_counter() - start)
                say(f"  {name}: {seconds[name][-1]:.1f} s")
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    everything = sum(each for name, each in medians.items() if is_ours(name))
    report = {
        "seconds": {name: round(each, 2) for name, each in medians.items()},
        "spread": {
            name: [round(min(each), 2), round(max(each), 2)]
            for name, each in seconds.items()
        },
        "ganlab_all_seconds": round(everything, 1),
        "values": values,
        "memory": {
            str(count): json.loads(
                subprocess.run(
                    [sys.executable, __file__, "--memory-of", str(count)],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            for count in (options.count, MANY)
        },
    }
    json.dump(report, sys.stdout, indent=2)
    print()


def draw(count):
    """Features as a rectified network's are: not negative, a few directions strong."""
    draws = np.random.default_rng(0)
    mix = draws.standard_normal((64, DIM)).astype(np.float32) / 8
    sides = []
    for shift in (0.0, 0.05):
        side = np.empty((count, DIM), np.float32)
        for part in np.array_split(side, max(count // 1000, 1)):
            hidden = draws.standard_normal((len(part), 64), dtype=np.float32) + shift
            noise = draws.standard_normal((len(part), DIM), dtype=np.float32) / 2
            np.maximum(hidden @ mix + noise, 0.0, out=part)
        sides.append(side)
    return sides


def is_ours(name):
    return name.startswith("ganlab")


def ours(real, fake):
    """Name -> function that measures it and returns its numbers."""
    classes = np.arange(len(real)) % 10
    shares = class_probabilities(fake[:, :1008])

    def frechet():
        known.append(metrics.frechet_distance(real, fake))
        return {"ganlab Fréchet distance": known[-1]}

    def interval():
        score = metrics.frechet_score(real, fake)
        return {"ganlab Fréchet distance, interval": [score.low, score.high]}

    known = []

    def infinity():
        limit = metrics.frechet_infinity(real, fake, distance=known[-1])
        return {"ganlab Fréchet distance, n to infinity": limit}

    def pairs():
        pairs = metrics.pair_statistics(real, fake)
        scores = metrics.manifold_scores(pairs) | metrics.repetition_scores(pairs)
        scores["kernel"] = pairs.kid
        return {f"ganlab {name}": score.value for name, score in scores.items()}

    def rest():
        return {
            "ganlab bins": metrics.ndb(real, fake).value,
            "ganlab diversity": metrics.class_diversity(real, fake, classes, classes)[
                0
            ].value,
        }

    def inception_score():
        return {"ganlab class score": metrics.inception_score(shares).value}

    return {
        "ganlab Fréchet distance": frechet,
        "ganlab Fréchet distance with interval": interval,
        "ganlab Fréchet distance, n to infinity": infinity,
        "ganlab kernel distance, precision, recall, density, coverage, repeats": pairs,
        "ganlab bins, diversity": rest,
        "ganlab Inception score": inception_score,
    }


def theirs(torch_fidelity, real, fake):
    import torch
    from torch_fidelity.metric_fid import (
        fid_features_to_statistics,
        fid_statistics_to_metric,
    )
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    real, fake = torch.from_numpy(real), torch.from_numpy(fake)

    def fid():
        sides = [fid_features_to_statistics(each) for each in (fake, real)]
        return fid_statistics_to_metric(*sides, False)

    def kid():
        return kid_features_to_metric(
            fake,
            real,
            kid_subsets=100,
            kid_subset_size=1000,
            rng_seed=2020,
            verbose=False,
        )

    def prc():
        return prc_features_to_metric(fake, real, prc_neighborhood=3, verbose=False)

    def isc():
        return isc_features_to_metric(fake[:, :1008], shuffle=False)

    def prdc():
        from contextlib import redirect_stdout

        from prdc import compute_prdc

        with redirect_stdout(sys.stderr):
            found = compute_prdc(real.numpy(), fake.numpy(), nearest_k=5)
        return {f"prdc {name}": float(each) for name, each in found.items()}

    return {
        "torch-fidelity FID": fid,
        "torch-fidelity KID": kid,
        "torch-fidelity precision, recall": prc,
        "torch-fidelity inception score": isc,
        "prdc precision, recall, density, coverage": prdc,
    }


def memory_of(count):
    """Peak memory of every metric together, and their seconds."""
    real, fake = draw(count)
    before = peak()
    start = time.perf_counter()
    for run in ours(real, fake).values():
        run()
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "features_gb": round(2 * real.nbytes / 1e9, 2),
        "peak_gb": round(peak(), 2),
        "peak_before_gb": round(before, 2),
    }


def import_torch_fidelity():
    """Imports it where torchvision lacks operators that nothing here calls."""
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch_fidelity
    torch_fidelity.library = library  # kept alive with it
    return torch_fidelity


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
