"""How does a failing run go on?

From its best checkpoint, with a change: `train` does so while it trains, at most
so many times, and `try_remedies` compares short branches afterwards.
"""

import json
import os
import shutil
from pathlib import Path

import keras

from ganlab import diagnosis
from ganlab.diagnosis import report
from ganlab.errors import RunError, UserError
from ganlab.runs import load_run
from ganlab.training.train import build_gan, train_gan

BRANCH_STEPS = 1000


def train(recipe, out, *, on_failure="warn", max_rollbacks=2, **options):
    """Trains as `train_gan` does, and goes back to the best checkpoint if it fails.

    Each time the run goes on with a change that was not tried before. What was
    logged after the checkpoint is kept as `attempts/NUMBER.jsonl`, and each return
    is an event of the log.

    Args:
        recipe: A `ganlab.Recipe`.
        out: The run folder.
        on_failure: One of `ganlab.callbacks.policy.ACTIONS`.
        max_rollbacks: Integer: how often, at most.
        **options: See `ganlab.train_gan`.

    Returns:
        The `ganlab.training.train.Run`.
    """
    out, tried = Path(out), []
    run = train_gan(recipe, out, on_failure=on_failure, **options)
    options = {**options, "resume": True, "epochs": None}
    while run.failure is not None and on_failure == "rollback":
        change = diagnosis.next_change(run.failure, run.settings, tried)
        best = out / "checkpoints" / "best.keras"
        if len(tried) >= max_rollbacks or change is None or not best.exists():
            break
        tried.append(change)
        recipe = run.recipe.replace(**change)
        step = _go_back(out, best, recipe, len(run.class_names) or None, len(tried))
        _note(out, step, run.failure.name, change)
        run = train_gan(recipe, out, on_failure=on_failure, **options)
    return run


def _go_back(out, best, recipe, num_classes, attempt):
    """Makes the best checkpoint, under another recipe, the newest; returns its step."""
    gan = branch(best, recipe, num_classes)
    step = int(gan.step.numpy())
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    (out / "attempts").mkdir(exist_ok=True)
    later = [line for line in lines if json.loads(line)["step"] > step]
    earlier = [line for line in lines if json.loads(line)["step"] <= step]
    for path, kept in (
        (out / "attempts" / f"{attempt}.jsonl", later),
        (out / "metrics.jsonl", earlier),
    ):
        path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    for path in best.parent.glob("step-*.keras"):
        path.unlink()
    _save(gan, best.parent / f"step-{step:07d}.keras")
    return step


def _note(out, step, finding, change):
    row = {"step": step, "seconds": 0.0, "event": "rollback"}
    row |= {"finding": finding, "change": change}
    with (out / "metrics.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def branch(checkpoint, recipe, num_classes):
    """A GAN of a recipe that goes on from the weights of a checkpoint.

    Args:
        checkpoint: Path of a `.keras` file.
        recipe: A complete `ganlab.Recipe` of the same players.
        num_classes: Integer, or `None`.

    Returns:
        A compiled `ganlab.GAN` at the checkpoint's step, both optimizers' moments
        included.
    """
    source = keras.saving.load_model(checkpoint, safe_mode=True)
    gan = build_gan(recipe, num_classes)
    for role in ("generator", "discriminator", "ema_generator"):
        getattr(gan, role).set_weights(getattr(source, role).get_weights())
    gan.step.assign(source.step)
    for name in ("generator_optimizer", "discriminator_optimizer"):
        ours, theirs = (_moments(getattr(each, name)) for each in (gan, source))
        if [each.shape for each in ours] == [each.shape for each in theirs]:
            for variable, value in zip(ours, theirs, strict=True):
                variable.assign(value)
    return gan


def _moments(optimizer):
    """What an optimizer remembers, but for its rate."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    return [each for each in optimizer.variables if "learning_rate" not in each.path]


def _save(gan, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / "partial.keras"
    gan.save(partial)
    os.replace(partial, path)


def try_remedies(directory, *, steps=BRANCH_STEPS, stream=None):
    """Trains a short branch for each remedy, and one without, and compares them.

    Branches begin at the last checkpoint before the first finding, or anew where
    there is none; a remedy that changes the players always begins anew, and trains
    as many steps in all. The best is the one of the smallest Fréchet distance
    among those with the fewest critical findings. Its folder is kept whole, and
    of the others the logs.

    Args:
        directory: A run folder.
        steps: Integer: how far branches go.
        stream: Text stream for progress, or `None`.

    Returns:
        A list of dicts, the best first: `name`, `changes`, `fid`,
        `findings`, `critical`, `folder`, `kept`.

    Raises:
        UserError: if there is nothing to remedy.
    """
    directory = Path(directory)
    run, serious = load_run(directory), report.examine(directory).serious
    candidates = {each.name: each.changes for each in serious if each.changes}
    if not candidates:
        raise UserError(
            "Expected a run with findings that a setting cures. Received: "
            f"{directory}, which has none"
        )
    since = min(each.since_step for each in serious)
    start = _last_before(directory / "checkpoints", since)
    root = directory / "trials"
    shutil.rmtree(root, ignore_errors=True)
    begun = 0 if start is None else _step_of(start)
    trials = []
    for name, changes in {"no change": {}, **candidates}.items():
        if stream is not None:
            print(f"trial: {name}", file=stream, flush=True)
        recipe = run.recipe.replace(**changes, steps=begun + steps)
        folder = root / name.replace(" ", "-")
        goes_on = start is not None and diagnosis.keeps_players(changes)
        if goes_on:
            run.with_recipe(recipe, folder).save()
            gan = branch(start, recipe, len(run.class_names) or None)
            _save(gan, folder / "checkpoints" / f"step-{begun:07d}.keras")
        try:
            train_gan(
                recipe,
                folder,
                monitoring=run.monitoring,
                resume=goes_on,
                on_failure="none",
                stream=stream,
            )
        except RunError as error:
            if stream is not None:
                print(f"trial: {error}", file=stream, flush=True)
        trials.append(_result(name, changes, folder))
    trials.sort(key=_rank)
    trials[0]["kept"] = True
    for each in trials[1:]:
        shutil.rmtree(Path(each["folder"]) / "checkpoints", ignore_errors=True)
    text = json.dumps(trials, indent=2, ensure_ascii=False) + "\n"
    (root / "trials.json").write_text(text, encoding="utf-8")
    return trials


def _last_before(folder, step):
    found = {int(path.stem.split("-")[1]): path for path in folder.glob("step-*.keras")}
    best = folder / "best.keras"
    if best.exists():
        found[_step_of(best)] = best
    healthy = [each for each in found if each < step]
    return found[max(healthy)] if healthy else None


def _step_of(path):
    """The step of a checkpoint, from its name or, of the best, from beside it."""
    path = Path(path)
    if path.stem.startswith("step-"):
        return int(path.stem.split("-")[1])
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return int(about["step"])


def _result(name, changes, folder):
    found = report.examine(folder)
    return {
        "name": name,
        "changes": changes,
        "fid": found.log.last("fid"),
        "findings": [each.name for each in found.serious],
        "critical": sum(each.severity == "critical" for each in found.serious),
        "folder": str(folder),
        "kept": False,
    }


def _rank(trial):
    distance = trial["fid"]
    return trial["critical"], float("inf") if distance is None else distance
