"""Recall and false alarms on generated failures: `diagnosis.py --generated`.

Cases are those of `ganlab.labs.faults`, trained many a process, one process a core. A
case is done when its folder holds `case.json`, so a stopped benchmark goes on where it
was.

Kinds that were looked at while rules were written, and as many healthy cases, are
fitted; what is reported is the others. Each log is judged three times: as it is,
without scores, and by its losses alone.
"""

import argparse
import dataclasses
import functools
import json
import logging
import shutil
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import processes
from scipy.stats import binomtest
from tqdm import tqdm

from ganlab import diagnosis
from ganlab.callbacks.scalars import SCALARS
from ganlab.diagnosis.log import LOSSES
from ganlab.diagnosis.rules.causes import EXPLAINS

if TYPE_CHECKING:
    from ganlab.labs.cases import Case

CASES_A_PROCESS = 20
HEALTHY = "healthy"
FITTED_HEALTHY = 40  # seeds under which thresholds were set
VIEWS = ("everything", "without scores", "losses alone")
SCORE_GROUPS = ("quality", "manifold", "classes", "diversity")
PROBED = ("pairwise_ratio", "class_pairwise_ratio", "nearest_ratio")
COUNTS = ("runs", "refused", "first", "named", "right alarm", "alarm")
KEPT = ("metrics.jsonl", "config.json", "samples")


def all_jobs(seeds: int, healthy: int) -> list[tuple[str, int]]:
    """Names and seeds in an order in which every beginning is a fair sample."""
    from ganlab.labs.faults import FAULTS

    jobs = [(fault.name, seed) for fault in FAULTS for seed in range(seeds)]
    jobs += [(HEALTHY, seed) for seed in range(healthy)]
    order = np.random.default_rng(0).permutation(len(jobs))
    return [jobs[index] for index in order]


def folder_of(out: Path, name: str, seed: int) -> Path:
    return out / f"{name}-{seed}"


def record_of(out: Path, name: str, seed: int) -> Path:
    return folder_of(out, name, seed) / "case.json"


@functools.cache
def case_of(name: str, seed: int) -> "Case":
    from ganlab.labs.faults import draw_failing, get_fault
    from ganlab.labs.healthy import draw_healthy

    if name == HEALTHY:
        return draw_healthy(seed)
    return draw_failing(get_fault(name), seed)


def is_done(out: Path, name: str, seed: int) -> bool:
    """Whether the case was trained, as it is drawn today."""
    path = record_of(out, name, seed)
    if not path.exists():
        return False
    case = json.loads(path.read_text(encoding="utf-8"))["case"]
    return case == json.loads(json.dumps(case_of(name, seed).as_dict()))


def train_all(out: Path, seeds: int, healthy: int) -> None:
    """Trains what is not done yet, one process a core."""
    out.mkdir(parents=True, exist_ok=True)
    jobs = all_jobs(seeds, healthy)
    missing = {job for job in jobs if not is_done(out, *job)}
    for job in missing:
        shutil.rmtree(folder_of(out, *job), ignore_errors=True)

    def keep_working() -> None:
        while processes.run_python([__file__, out, seeds, healthy]).strip():
            pass

    with ThreadPoolExecutor(processes.CORES) as pool:
        futures = [pool.submit(keep_working) for _ in range(processes.CORES)]
        initial = len(jobs) - len(missing)
        with tqdm(total=len(jobs), initial=initial, unit=" runs") as bar:
            while not all(future.done() for future in futures):
                time.sleep(2)
                missing = {job for job in missing if not record_of(out, *job).exists()}
                bar.update(len(jobs) - len(missing) - bar.n)
        for future in futures:
            future.result()


def work(out: Path, seeds: int, healthy: int) -> None:
    """Trains the next cases that no other process has begun."""
    from small_pictures import load_pictures

    from ganlab.labs import cases

    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    pictures = load_pictures(out / "pictures")
    trained = 0
    for name, seed in all_jobs(seeds, healthy):
        folder = folder_of(out, name, seed)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        case = case_of(name, seed)
        began, refused, error = time.perf_counter(), None, None
        try:
            refused = cases.train(case, pictures, folder)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"[:1000]
        record = {
            "fault": name,
            "refused": refused,
            "error": error,
            "seconds": round(time.perf_counter() - began, 1),
            "case": case.as_dict(),
        }
        for path in folder.iterdir():
            if path.name not in KEPT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (folder / "case.json").write_text(json.dumps(record, indent=2) + "\n")
        print(name, seed, flush=True)
        trained += 1
        if trained == CASES_A_PROCESS:
            return


def score(out: Path) -> dict:
    """What the diagnosis says of every case that is done, and both halves' scores."""
    from ganlab.labs.unseen_faults import UNSEEN

    kinds = {fault.name for fault in UNSEEN}
    cases = []
    for path in sorted(out.glob("*/case.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        name, seed = record["fault"], record["case"]["seed"]
        unseen = seed >= FITTED_HEALTHY if name == HEALTHY else name in kinds
        half = "scored" if unseen else "fitted"
        judged = {view: findings_of(log) for view, log in views(path.parent).items()}
        cases.append({**record, "half": half, "findings": judged})
    return {
        "cases": len(cases),
        "errors": [case for case in cases if case["error"]],
        "scores": {
            f"{half}/{view}": score_view(
                [case for case in cases if case["half"] == half], view
            )
            for half in ("scored", "fitted")
            for view in VIEWS
        },
    }


def views(folder: Path) -> dict[str, diagnosis.Log]:
    """A case's log as it is, without scores, and as another trainer's losses."""
    log = diagnosis.read(folder)
    signals = {
        name: series for name, series in log.series.items() if not is_score(name)
    }
    losses = {name: log.series[name] for name in LOSSES if name in log.series}
    return {
        "everything": log,
        "without scores": dataclasses.replace(log, series=signals),
        "losses alone": diagnosis.Log(log.source, losses, log.seconds, foreign=True),
    }


def is_score(name: str) -> bool:
    """Whether a signal is a score of images against real ones, not the probe's."""
    if name not in SCALARS:
        return name.startswith("class_share/")
    group = SCALARS[name].tag.split("/")[0]
    return group in SCORE_GROUPS and name not in PROBED


def findings_of(log: diagnosis.Log) -> list[tuple[str, str]]:
    """Names and severities of the findings that are more than notes."""
    return [
        (finding.name, finding.severity)
        for finding in diagnosis.diagnose(log)
        if finding.severity != "note"
    ]


def score_view(cases: list[dict], view: str) -> dict:
    """Recall by kind, and false alarms, of one half seen in one way."""
    from ganlab.labs.faults import get_fault

    kinds: dict[str, dict] = {}
    healthy, critical, warned = 0, [], 0
    for case in cases:
        named = case["findings"][view]
        if case["fault"] == HEALTHY:
            healthy += 1
            warned += bool(named)
            bad = [name for name, severity in named if severity == "critical"]
            critical += [f"{case['case']['seed']}: {', '.join(bad)}"] * bool(bad)
            continue
        own = get_fault(case["fault"]).findings
        right = {*own, *(symptom for name in own for symptom in EXPLAINS.get(name, ()))}
        names = [name for name, _ in named]
        refused = case["refused"] is not None
        kind = kinds.setdefault(case["fault"], dict.fromkeys(COUNTS, 0))
        kind["runs"] += 1
        kind["refused"] += refused
        kind["first"] += refused or (names[:1] != [] and names[0] in own)
        kind["named"] += refused or any(name in own for name in names)
        kind["right alarm"] += refused or any(name in right for name in names)
        kind["alarm"] += refused or bool(names)
    total = {count: sum(kind[count] for kind in kinds.values()) for count in COUNTS}
    return {
        "kinds": kinds,
        "total": total,
        "healthy": healthy,
        "healthy warned": warned,
        "healthy critical": critical,
    }


def write_scores(out: Path) -> None:
    """Writes `generated.json` and `generated.md`, and prints the table."""
    report = score(out)
    text = json.dumps(report, indent=2) + "\n"
    (out / "generated.json").write_text(text, encoding="utf-8")
    table = as_table(report)
    (out / "generated.md").write_text(table, encoding="utf-8")
    print(table)


def as_table(report: dict) -> str:
    """Both halves as Markdown."""
    lines = [
        "| kinds | log | failing | cause named first | named | right alarm | healthy | "
        "critical false alarms | any |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, scores in report["scores"].items():
        total, runs = scores["total"], scores["total"]["runs"]
        half, view = name.split("/")
        cells = [half, view, str(runs)]
        cells += [_share(total[count], runs) for count in COUNTS[2:5]]
        alarms = len(scores["healthy critical"])
        cells += [str(scores["healthy"]), _share(alarms, scores["healthy"])]
        cells += [_share(scores["healthy warned"], scores["healthy"])]
        lines.append(f"| {' | '.join(cells)} |")
    for half in ("scored", "fitted"):
        lines += ["", f"Kinds that are {half}, of everything logged:", ""]
        lines += ["| kind | runs | first | named | right alarm | refused |"]
        lines += ["|---|---|---|---|---|---|"]
        scores = report["scores"][f"{half}/everything"]
        for kind, counts in sorted(scores["kinds"].items()):
            columns = ("runs", "first", "named", "right alarm", "refused")
            cells = [str(counts[column]) for column in columns]
            lines.append(f"| {kind} | {' | '.join(cells)} |")
        lines += [
            f"\nCritical on healthy seed {alarm}"
            for alarm in scores["healthy critical"]
        ]
    for case in report["errors"]:
        lines.append(
            f"\nError: {case['fault']} {case['case']['seed']}: {case['error']}"
        )
    return "\n".join(lines) + "\n"


def _share(count: int, runs: int) -> str:
    """A fraction with Wilson's 95 % interval."""
    if not runs:
        return "none"
    interval = binomtest(count, runs).proportion_ci(method="wilson")
    return f"{count / runs:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def main() -> None:
    """Trains the next cases: a worker of `train_all`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("seeds", type=int)
    parser.add_argument("healthy", type=int)
    work(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
