"""How does a failing run go on?

From its best checkpoint, with a change: `train` does so while it trains, at most
so many times, and `try_remedies` compares short branches afterwards.
"""

import shutil

import keras

from ganlab import diagnosis
from ganlab.diagnosis import report
from ganlab.errors import RunError, UserError
from ganlab.runs import RunFolder, load_run
from ganlab.training.train import build_gan, train_gan

BRANCH_STEPS = 1000


def train(recipe, out, *, on_failure="warn", max_rollbacks=2, **options):
    """Trains as `train_gan` does, and goes back to the best checkpoint if it fails.

    Each time the run goes on with a change that was not tried before. What was
    logged after the checkpoint is kept (`RunFolder.attempt`), and each return is an
    event of the log.

    Args:
        recipe: A `ganlab.Recipe`.
        out: The run folder.
        on_failure: One of `ganlab.callbacks.policy.ACTIONS`.
        max_rollbacks: Integer: how often, at most.
        **options: See `ganlab.train_gan`.

    Returns:
        The `ganlab.training.train.Run`.
    """
    folder, tried = RunFolder(out), []
    run = train_gan(recipe, out, on_failure=on_failure, **options)
    options = {**options, "resume": True, "epochs": None}
    while run.failure is not None and on_failure == "rollback":
        change = diagnosis.next_change(run.failure, run.settings, tried)
        if change is None or len(tried) >= max_rollbacks:
            break
        if not folder.best_checkpoint.exists():
            break
        tried.append(change)
        recipe = run.recipe.replace(**change)
        step = _go_back(folder, recipe, run.num_classes, len(tried))
        folder.append_metrics(
            {
                "step": step,
                "seconds": 0.0,
                "event": "rollback",
                "finding": run.failure.name,
                "change": change,
            }
        )
        run = train_gan(recipe, out, on_failure=on_failure, **options)
    return run


def _go_back(folder, recipe, num_classes, attempt):
    """Makes the best checkpoint, under another recipe, the newest; returns its step."""
    gan = branch(folder.best_checkpoint, recipe, num_classes)
    step = int(gan.step.numpy())
    folder.trim_metrics(step, later_to=folder.attempt(attempt))
    folder.remove_checkpoints()
    folder.save_checkpoint(gan.save, step)
    return step


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


def try_remedies(directory, *, steps=BRANCH_STEPS, stream=None):
    """Trains a short branch for each remedy, and one without, and compares them.

    Branches begin at the last checkpoint before the first finding, or anew where
    there is none; a remedy that changes the players always begins anew, and trains
    as many steps in all. The best is the one of the smallest FID
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
    run, serious = load_run(directory), report.examine(directory).serious
    candidates = {each.name: each.changes for each in serious if each.changes}
    if not candidates:
        raise UserError(
            "Expected a run with findings that a setting cures. Received: "
            f"{directory}, which has none"
        )
    start = run.folder.last_checkpoint_before(min(each.since_step for each in serious))
    begun, checkpoint = (0, None) if start is None else start
    shutil.rmtree(run.folder.trials, ignore_errors=True)
    trials = []
    for name, changes in {"no change": {}, **candidates}.items():
        if stream is not None:
            print(f"trial: {name}", file=stream, flush=True)
        recipe = run.recipe.replace(**changes, steps=begun + steps)
        folder = run.folder.trial(name)
        goes_on = checkpoint is not None and diagnosis.keeps_players(changes)
        if goes_on:
            run.with_recipe(recipe, folder).save()
            gan = branch(checkpoint, recipe, run.num_classes)
            folder.save_checkpoint(gan.save, begun)
        try:
            train_gan(
                recipe,
                folder.path,
                monitoring=run.monitoring,
                resume=goes_on,
                on_failure="none",
                stream=stream,
            )
        except RunError as error:
            if stream is not None:
                print(f"trial: {error}", file=stream, flush=True)
        trials.append(_result(name, changes, folder.path))
    trials.sort(key=_rank)
    trials[0]["kept"] = True
    for trial in trials[1:]:
        RunFolder(trial["folder"]).remove_all_checkpoints()
    run.folder.write_trials(trials)
    return trials


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
