"""Time and memory of the metrics, beside torch-fidelity and prdc.

    pip install -e ".[dev]"
    python scripts/benchmarks/metrics.py

Takes 10,000 against 10,000 random feature vectors of 2,048 numbers, measures
both sides alternately, and prints medians, spreads and values. ganlab computes in
float64 with bootstrap intervals, torch-fidelity in float32 without.
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
from collections.abc import Callable

import numpy as np
from memory import peak
from turns import declare_torchvision_operators, log

from ganlab import metrics
from ganlab.features.extractors import class_probabilities

Measures = dict[str, Callable[[], dict]]

DIM, LARGE_COUNT = 2048, 50_000


def main() -> None:
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
    import_torch_fidelity()
    real, fake = make_features(options.count)
    seconds, values = {}, {}
    for repeat in range(options.repeats):
        log(f"round {repeat + 1} of {options.repeats}")
        measures = ganlab_measures(real, fake) | torch_measures(real, fake)
        for name, measure in measures.items():
            start = time.perf_counter()
            values.update(measure())
            seconds.setdefault(name, []).append(time.perf_counter() - start)
            log(f"  {name}: {seconds[name][-1]:.1f} s")
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ganlab_medians = [
        median for name, median in medians.items() if name.startswith("ganlab")
    ]
    report = {
        "seconds": {name: round(median, 2) for name, median in medians.items()},
        "spread": {
            name: [round(min(times), 2), round(max(times), 2)]
            for name, times in seconds.items()
        },
        "ganlab_all_seconds": round(sum(ganlab_medians), 1),
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
            for count in (options.count, LARGE_COUNT)
        },
    }
    json.dump(report, sys.stdout, indent=2)
    print()


def make_features(count: int) -> list[np.ndarray]:
    """Features as a rectified network's are: not negative, a few directions strong."""
    random = np.random.default_rng(0)
    mix = random.standard_normal((64, DIM)).astype(np.float32) / 8
    sides = []
    for shift in (0.0, 0.05):
        side = np.empty((count, DIM), np.float32)
        for part in np.array_split(side, max(count // 1000, 1)):
            hidden = random.standard_normal((len(part), 64), dtype=np.float32) + shift
            noise = random.standard_normal((len(part), DIM), dtype=np.float32) / 2
            np.maximum(hidden @ mix + noise, 0.0, out=part)
        sides.append(side)
    return sides


def ganlab_measures(real: np.ndarray, fake: np.ndarray) -> Measures:
    """Name -> function that computes metrics and returns their values."""
    classes = np.arange(len(real)) % 10
    probabilities = class_probabilities(fake[:, :1008])
    distances = []

    def fid():
        distances.append(metrics.frechet_distance(real, fake))
        return {"ganlab FID": distances[-1]}

    def fid_with_interval():
        score = metrics.frechet_score(real, fake)
        return {"ganlab FID, interval": [score.low, score.high]}

    def fid_infinity():
        limit = metrics.frechet_infinity(real, fake, distance=distances[-1])
        return {"ganlab FID, n to infinity": limit}

    def pairwise():
        pairs = metrics.pair_statistics(real, fake)
        scores = metrics.manifold_scores(pairs) | metrics.repetition_scores(pairs)
        scores["KID"] = pairs.kid
        return {f"ganlab {name}": score.value for name, score in scores.items()}

    def classwise():
        diversity, _ = metrics.class_diversity(real, fake, classes, classes)
        return {
            "ganlab NDB": metrics.ndb(real, fake).value,
            "ganlab class diversity": diversity.value,
        }

    def inception_score():
        score = metrics.inception_score(probabilities)
        return {"ganlab Inception score": score.value}

    return {
        "ganlab FID": fid,
        "ganlab FID with interval": fid_with_interval,
        "ganlab FID, n to infinity": fid_infinity,
        "ganlab KID, precision, recall, density, coverage, repeats": pairwise,
        "ganlab NDB, class diversity": classwise,
        "ganlab Inception score": inception_score,
    }


def torch_measures(real: np.ndarray, fake: np.ndarray) -> Measures:
    """The same metrics of torch-fidelity and prdc."""
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
        statistics = map(fid_features_to_statistics, (fake, real))
        return fid_statistics_to_metric(*statistics, False)

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
            scores = compute_prdc(real.numpy(), fake.numpy(), nearest_k=5)
        return {f"prdc {name}": float(score) for name, score in scores.items()}

    return {
        "torch-fidelity FID": fid,
        "torch-fidelity KID": kid,
        "torch-fidelity precision, recall": prc,
        "torch-fidelity inception score": isc,
        "prdc precision, recall, density, coverage": prdc,
    }


def memory_of(count: int) -> dict[str, float]:
    """Peak memory of every metric together, and their seconds."""
    real, fake = make_features(count)
    before = peak()
    start = time.perf_counter()
    for measure in ganlab_measures(real, fake).values():
        measure()
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "features_gb": round(2 * real.nbytes / 1e9, 2),
        "peak_gb": round(peak(), 2),
        "peak_before_gb": round(before, 2),
    }


def import_torch_fidelity() -> None:
    """Imports it on a torchvision without its operators."""
    library = declare_torchvision_operators()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch_fidelity
    torch_fidelity.library = library  # kept alive with it


if __name__ == "__main__":
    main()
