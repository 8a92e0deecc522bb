"""Runs that are ended at every bad moment, resumed, and compared with whole ones.

    python scripts/benchmarks/faults.py --kills 100

Every preset is trained, shortened, without a fault; then again and again with one: the
process is killed at a random moment or at a named point of writing, is sent SIGTERM, or
loses what had not reached the disk. Each is resumed to its end, and its folder is
compared with the whole run's byte by byte, apart from clocks. A fault is done when
its folder holds `result.json`, so a stopped benchmark goes on where it was.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from faults_compare import differences, lose_power
from faults_victim import MOMENTS, POINTS
from processes import CORES, ONE_THREAD
from tqdm import tqdm

from ganlab.config.presets import PRESETS

VICTIM = Path(__file__).with_name("faults_victim.py")
STEPS = 24
KINDS = (*MOMENTS, *POINTS[:5], *MOMENTS, *POINTS[5:], *MOMENTS)
NO_FAULT = {"kind": "none", "step": 0, "delay": 0.0, "hit": 0}
SETTINGS = (
    *("generator_filters=4", "discriminator_filters=4", "evaluate_images=48"),
    *("log_every=3", "probe_every=6", "sample_every=8", "checkpoint_every=4"),
    "evaluate_every=6",
)


def write_data(path: Path) -> None:
    """Writes 400 small pictures of two classes."""
    draws = np.random.default_rng(0)
    labels = np.arange(400) % 2
    pixels = (
        draws.integers(0, 128, (400, 16, 16, 1)) + 100 * labels[:, None, None, None]
    )
    np.savez(path, images=pixels.astype(np.uint8), labels=labels)


def draw_fault(index: int) -> dict[str, Any]:
    """The fault of one kill: a kind, and when it comes, for a seed."""
    draws = random.Random(index)
    return {
        "kind": KINDS[index % len(KINDS)],
        "preset": list(PRESETS)[index % len(PRESETS)],
        "step": draws.randrange(1, STEPS),
        "delay": draws.uniform(0.0, 0.3),
        "hit": draws.randrange(1, 4),
    }


def train(folder: Path, preset: str, fault: dict[str, Any], resume: bool) -> Any:
    """Trains in a process of its own; returns its exit code and last line."""
    command = ["train", "--out", "run"]
    if resume:
        command.append("--resume")
    else:
        command += ["--preset", preset, "--data", f"npz:{folder.parent / 'data.npz'}"]
        command += ["--steps", str(STEPS), "--batch-size", "8"]
        for setting in SETTINGS:
            command += ["--set", setting]
    arguments = [sys.executable, VICTIM, json.dumps(fault), "journal", *command]
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=os.environ | ONE_THREAD | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr.strip().rpartition("\n")[2]


def train_whole(out: Path, preset: str) -> None:
    """Trains a preset without a fault, unless that is done."""
    folder = out / f"whole-{preset}"
    if (folder / "done").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    code, line = train(folder, preset, NO_FAULT, resume=False)
    if code:
        raise RuntimeError(f"{preset} without a fault failed: {line}")
    (folder / "done").touch()


def inflict(out: Path, index: int) -> None:
    """Ends a run by a fault, resumes it and compares it, unless that is done."""
    folder, fault = out / f"fault-{index:03d}", draw_fault(index)
    if (folder / "result.json").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    began = time.time()
    code, _ = train(folder, fault["preset"], fault, resume=False)
    run = folder / "run"
    if fault["kind"] == "power loss":
        lose_power(run, folder / "journal")
    begun = (run / "config.json").exists()
    resumed, line = train(folder, fault["preset"], NO_FAULT, resume=begun)
    phrases = ["not resumed"]
    if resumed == 0:
        phrases = differences(run, out / f"whole-{fault['preset']}" / "run")
    result = {
        **fault,
        "index": index,
        "code": code,
        "came": code in (-signal.SIGKILL, 128 + signal.SIGTERM),
        "resumed": resumed,
        "says": line,
        "differences": phrases,
        "seconds": round(time.time() - began, 1),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    if not phrases:
        shutil.rmtree(run)


def summarise(results: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Counts by kind of fault, and in all."""
    table = {}
    for kind in (*MOMENTS, *POINTS, "all"):
        chosen = [row for row in results if kind in (row["kind"], "all")]
        table[kind] = {
            "faults": len(chosen),
            "came": sum(row["came"] for row in chosen),
            "resumed": sum(row["resumed"] == 0 for row in chosen),
            "lost": sum(row["resumed"] != 0 for row in chosen),
            "differ": sum(bool(row["differences"]) for row in chosen),
        }
    return table


def as_table(table: dict[str, dict[str, int]]) -> str:
    lines = [
        "| fault | runs | ended by it | resumed | lost | differ |",
        "|---|---|---|---|---|---|",
    ]
    for kind, counts in table.items():
        if counts["faults"]:
            cells = " | ".join(map(str, counts.values()))
            lines.append(f"| {kind} | {cells} |")
    return "\n".join(lines) + "\n"


def run_jobs(title: str, function: Any, jobs: list[Any], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(function, job) for job in jobs]
        for future in tqdm(as_completed(futures), title, len(jobs), unit=" runs"):
            future.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="faults in all")
    parser.add_argument("--out", type=Path, default=Path("runs/faults"))
    parser.add_argument("--workers", type=int, default=CORES, help="runs at once")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "data.npz").exists():
        write_data(out / "data.npz")
    indices = list(range(options.kills))
    presets = sorted({draw_fault(index)["preset"] for index in indices})
    run_jobs("whole", lambda preset: train_whole(out, preset), presets, options.workers)
    run_jobs("faults", lambda index: inflict(out, index), indices, options.workers)
    paths = [out / f"fault-{index:03d}" / "result.json" for index in indices]
    results = [json.loads(path.read_text()) for path in paths]
    table = summarise(results)
    report = {"table": table, "faults": results}
    (out / "faults.json").write_text(json.dumps(report, indent=2) + "\n")
    (out / "faults.md").write_text(as_table(table))
    print(as_table(table))
    for row in results:
        for phrase in row["differences"]:
            print(f"{row['index']}, {row['preset']}, {row['kind']}: {phrase}")


if __name__ == "__main__":
    main()
