"""Recall and false alarms of the diagnosis.

    python scripts/benchmarks/diagnosis.py --generated      users' GANs, drawn at random
    python scripts/benchmarks/diagnosis.py                  the labs
    python scripts/benchmarks/diagnosis.py --foreign DIR    logs of another trainer

With --generated it trains the failures and the healthy cases of `ganlab.labs.faults`,
of kinds that no rule was written for, and writes generated.json and generated.md
into runs/diagnosis/generated: see generated.py.

Without it trains every lab's failing recipe and its healthy twin, which has the
remedy, for seeds 0 to 9, one run a core. Thresholds were set on seeds 0 to 4; what is
reported is seeds 5 to 9, and the others beside them. Finished runs are kept in
runs/diagnosis, so that a stopped benchmark goes on where it was. Writes
runs/diagnosis/diagnosis.json, diagnosis.md and diagnosis.png.

With --foreign it reads the CSV files of a folder instead. For each finding it counts
the bad runs (last FID over 1.5 times the best) and the others in which it fires, and
the hours that stopping at a late collapse would have saved.

Time on 2 cores: 45 minutes, with --generated 2 hours.
"""

import argparse
import json
import shutil
from pathlib import Path

import generated
import numpy as np
import processes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ganlab import diagnosis
from ganlab.labs import LABS, get_lab

ARMS = ("failing", "cured")
FITTED, SCORED = range(5), range(5, 10)
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
BAD_RATIO = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/diagnosis"), help="default %(default)s")
    add("--seeds", type=int, metavar="N", help="default 10, of generated kinds 6")
    add("--generated", action="store_true", help="generated failures instead of labs")
    add("--healthy", type=int, default=200, metavar="N", help="default %(default)s")
    add("--labs", nargs="*", default=[lab.name for lab in LABS], metavar="NAME")
    add("--foreign", type=Path, metavar="DIR", help="CSV logs instead of labs")
    add("--run", nargs=3, metavar=("LAB", "ARM", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.foreign:
        print(score_foreign(options.foreign))
        return
    if options.run:
        train(options.out, *options.run)
        return
    if options.generated:
        out = options.out / "generated"
        generated.train_all(out, options.seeds or 6, options.healthy)
        generated.write_scores(out)
        return
    options.seeds = options.seeds or 10
    options.out.mkdir(parents=True, exist_ok=True)
    train_all(options)
    report = score(options.out, options.labs, options.seeds)
    text = json.dumps(report, indent=2) + "\n"
    (options.out / "diagnosis.json").write_text(text, encoding="utf-8")
    table = as_table(report)
    (options.out / "diagnosis.md").write_text(table, encoding="utf-8")
    plot(report, options.out / "diagnosis.png")
    print(table)


def train(out: Path, name: str, arm: str, seed: str) -> None:
    """Trains one run; it is done when its folder holds `done`."""
    from ganlab.labs.run import run_arm
    from ganlab.runs import RunFolder

    lab, folder = get_lab(name), folder_of(out, name, arm, int(seed))
    recipe = lab.recipe if arm == "failing" else lab.cured
    run_arm(lab, recipe, folder, int(seed))
    RunFolder(folder).remove_all_checkpoints()
    (folder / "done").touch()


def folder_of(out: Path, name: str, arm: str, seed: int | str) -> Path:
    return out / f"{name}-{arm}-{seed}"


def train_all(options) -> None:
    """Trains what is not done yet, one process a core."""
    jobs = [
        (name, arm, str(seed))
        for seed in range(options.seeds)
        for name in options.labs
        for arm in ARMS
        if not (folder_of(options.out, name, arm, seed) / "done").exists()
    ]

    for job in jobs:
        shutil.rmtree(folder_of(options.out, *job), ignore_errors=True)
    processes.run_all([[__file__, "--out", options.out, "--run", *job] for job in jobs])


def score(out: Path, labs: list[str], seeds: int) -> dict:
    """The findings of every run, and recall and false alarms of both halves."""
    severities = {}
    for name in labs:
        for arm in ARMS:
            for seed in range(seeds):
                log = diagnosis.read(folder_of(out, name, arm, seed))
                severities[f"{name}/{arm}/{seed}"] = {
                    finding.name: finding.severity
                    for finding in diagnosis.diagnose(log)
                }
    report = {"runs": severities, "labs": {}}
    for half, half_seeds in {"fitted": FITTED, "scored": SCORED}.items():
        trained = [seed for seed in half_seeds if seed < seeds]
        if trained:
            report[half] = score_half(severities, labs, trained)
    return report


def score_half(severities: dict, labs: list[str], seeds: list[int]) -> dict:
    """Recall and false alarms over some seeds."""
    by_lab, false_alarms, critical = {}, {}, []
    for name in labs:
        expected = get_lab(name).finding
        failing, cured = (
            [severities[f"{name}/{arm}/{seed}"] for seed in seeds] for arm in ARMS
        )
        by_lab[name] = {
            "finding": expected,
            "fired": sum(expected in findings for findings in failing),
            "cleared": sum(expected not in findings for findings in cured),
            "runs": len(seeds),
        }
        for seed, findings in zip(seeds, cured, strict=True):
            for finding, severity in findings.items():
                if severity != "note":
                    false_alarms[finding] = false_alarms.get(finding, 0) + 1
                if severity == "critical":
                    critical.append(f"{name}/{seed}: {finding}")
    runs = len(labs) * len(seeds)
    return {
        "labs": by_lab,
        "recall": sum(lab["fired"] for lab in by_lab.values()) / runs,
        "cleared": sum(lab["cleared"] for lab in by_lab.values()) / runs,
        "healthy_runs": runs,
        "warnings_on_healthy": false_alarms,
        "critical_on_healthy": critical,
    }


def as_table(report: dict) -> str:
    """Both halves as Markdown."""
    lines = []
    for half, seeds in (("scored", "5 to 9"), ("fitted", "0 to 4")):
        if half not in report:
            continue
        scores = report[half]
        lines += [
            f"Seeds {seeds} ({half}): recall {scores['recall']:.0%}, cleared by the "
            f"remedy {scores['cleared']:.0%}, {len(scores['critical_on_healthy'])} "
            f"critical findings on {scores['healthy_runs']} healthy runs.",
            "",
            "| lab | finding | fires on the failing recipe | gone with the remedy |",
            "|---|---|---|---|",
        ]
        for name, lab in scores["labs"].items():
            lines.append(
                f"| {name} | `{lab['finding']}` | {lab['fired']} of {lab['runs']} | "
                f"{lab['cleared']} of {lab['runs']} |"
            )
        alarms = ", ".join(
            f"`{name}` {count}" for name, count in scores["warnings_on_healthy"].items()
        )
        lines += ["", f"Warnings or worse on healthy runs: {alarms or 'none'}.", ""]
        lines += [
            f"Critical on a healthy run: {finding}"
            for finding in scores["critical_on_healthy"]
        ]
    return "\n".join(lines) + "\n"


def plot(report: dict, path: Path) -> None:
    """How often each finding fires in each lab: failing above, cured below."""
    labs = list(
        next(report[half] for half in ("scored", "fitted") if half in report)["labs"]
    )
    names = sorted(
        {
            name
            for findings in report["runs"].values()
            for name, severity in findings.items()
            if severity != "note"
        }
    )
    figure = Figure(figsize=(13, 8.5), dpi=90, layout="constrained")
    for index, arm in enumerate(ARMS):
        fractions = np.zeros((len(labs), len(names)))
        for row, lab in enumerate(labs):
            runs = [
                findings
                for key, findings in report["runs"].items()
                if key.startswith(f"{lab}/{arm}/")
            ]
            for column, name in enumerate(names):
                fires = [findings.get(name, "note") != "note" for findings in runs]
                fractions[row, column] = np.mean(fires)
        axes = figure.add_subplot(2, 1, index + 1)
        axes.imshow(fractions, cmap="Reds", vmin=0, vmax=1, aspect="auto")
        for row, lab in enumerate(labs):
            for column, name in enumerate(names):
                fraction, is_own = fractions[row, column], get_lab(lab).finding == name
                if fraction or is_own:
                    axes.text(
                        column,
                        row,
                        f"{fraction:.0%}",
                        ha="center",
                        va="center",
                        fontsize=7,
                        color="white" if fraction > 0.6 else "black",
                        fontweight="bold" if is_own else "normal",
                    )
        axes.set_yticks(range(len(labs)), labs, fontsize=8)
        labels = [name.replace("_", "\n") for name in names]
        axes.set_xticks(range(len(names)), labels, fontsize=7)
        axes.set_title(
            f"{arm}: fraction of runs in which a finding fires (bold: the lab's own)",
            fontsize=10,
        )
    FigureCanvasAgg(figure).print_png(path)


def score_foreign(folder: Path) -> str:
    """Findings on another trainer's logs, as Markdown."""
    rows, caught, false_alarms, saved = [], {}, {}, 0.0
    bad_runs = good_runs = 0
    for path in sorted(folder.glob("*.csv")):
        log = diagnosis.read(path)
        fid = log.get("fid")
        bad = fid is not None and fid.values[-1] > BAD_RATIO * fid.values.min()
        severities = {
            finding.name: finding.severity for finding in diagnosis.diagnose(log)
        }
        names = [name for name, severity in severities.items() if severity != "note"]
        bad_runs, good_runs = bad_runs + bad, good_runs + (not bad)
        for name in names:
            count = caught if bad else false_alarms
            count[name] = count.get(name, 0) + 1
        if bad and "late_collapse" in severities and log.seconds is not None:
            seconds = log.seconds.values[-1] - seconds_at(log, collapse_step(log))
            saved += seconds / 3600
            rows.append(f"| {path.stem} | {', '.join(names)} | {seconds / 3600:.1f} |")
        elif bad or names:
            rows.append(f"| {path.stem} | {', '.join(names) or 'none'} | |")
    lines = [f"{bad_runs} bad runs, {good_runs} others", ""]
    lines += ["| finding | bad runs caught | others | ", "|---|---|---|"]
    for name in sorted({*caught, *false_alarms}):
        lines.append(
            f"| `{name}` | {caught.get(name, 0)} | {false_alarms.get(name, 0)} |"
        )
    lines += ["", f"Hours saved by stopping when late collapse fires: {saved:.1f}", ""]
    return "\n".join([*lines, "| run | found | hours saved |", "|---|---|---|", *rows])


def collapse_step(log: diagnosis.Log) -> int:
    """The first step at which the log so far shows a late collapse."""
    for step in log.get("fid").steps:
        so_far = {name: series.until(step) for name, series in log.series.items()}
        shortened = diagnosis.Log(log.source, so_far, log.seconds, foreign=True)
        findings = diagnosis.diagnose(shortened)
        if any(finding.name == "late_collapse" for finding in findings):
            return step
    return log.last_step


def seconds_at(log: diagnosis.Log, step: int) -> float:
    return float(np.interp(step, log.seconds.steps, log.seconds.values))


if __name__ == "__main__":
    main()
