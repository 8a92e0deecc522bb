"""fit, evaluate and their like, called with what a user gave.

Keras's own checks end in a traceback through its files, or take what they do not
know for something else.
"""

import contextlib
import difflib
import inspect
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import callbacks

from ganlab.errors import UserError, as_count, as_integer, brief, one_line
from ganlab.models import given, reading
from ganlab.objectives.arguments import is_number

COUNTS = {  # argument -> the least that it may be
    "batch_size": 1,
    "epochs": 0,
    "initial_epoch": 0,
    "validation_batch_size": 1,
    "validation_freq": 1,
    "steps_per_epoch": 1,
    "validation_steps": 1,
    "steps": 1,
}
STEPS_OF = {  # argument of data -> those that say how many batches of it are read
    "x": ("steps_per_epoch", "steps"),
    "validation_data": ("validation_steps",),
}
WATCHING = (
    callbacks.EarlyStopping,
    callbacks.ModelCheckpoint,
    callbacks.ReduceLROnPlateau,
)
SETTING = (callbacks.LearningRateScheduler, callbacks.ReduceLROnPlateau)
PACKAGES = ("ganlab", "keras", "optree", "tensorflow")
READS = "pass an array, a tf.data.Dataset, a keras.utils.PyDataset, or iter(batches)"
WATCHES = (
    "watch one of the logs, such as loss, d_loss or g_loss, or val_loss with "
    "validation_data, with mode='min' or 'max'"
)
OF_KERAS = (  # folder of Keras's that raised, what was expected, and the fix
    ("data_adapters", "data as Keras reads them", READS),
    ("callbacks", "callbacks as Keras takes them", WATCHES),
)


def call(
    method: Callable[..., Any],
    model: Any,
    positional: tuple[Any, ...],
    named: dict[str, Any],
) -> Any:
    """Calls a method of Keras's that trains or evaluates a model.

    Args:
        method: Such as `keras.Model.fit`, bound.
        model: A `ganlab.GAN` or translator.
        positional: Its arguments.
        named: Likewise, by name.

    Raises:
        UserError: for what a GAN cannot be trained or evaluated on.
    """
    arguments = bound(method, positional, named)
    given.check_compiled(model)
    reading.refuse_weights(arguments)  # which Keras drops where there is no `y`
    _check_counts(arguments)
    check_callbacks(arguments.get("callbacks"), model.optimizer)
    raised: list[Exception] = []
    x, y = arguments.get("x"), arguments.get("y")
    arguments["x"], arguments["y"] = given.checked(x, y, raised)
    if arguments.get("validation_data") is not None:
        values = given.validation(arguments["validation_data"], raised)
        arguments["validation_data"] = values
    for name, limits in STEPS_OF.items():
        limit = next((one for one in limits if one in _names(method)), None)
        if limit and arguments.get(limit) is None:
            _refuse_endless(arguments.get(name), limit)
    model.follow_untrained()
    with in_one_line(), own_errors(raised):
        return method(**arguments)


def bound(
    method: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any]:
    """Arguments of a method by name.

    Raises:
        UserError: for those that it does not take.
    """
    try:
        return inspect.signature(method).bind(*positional, **named).arguments
    except TypeError as error:
        known = _names(method)
        unknown = [name for name in named if name not in known]
        close = difflib.get_close_matches(unknown[0], known, n=1) if unknown else []
        fix = f"write {close[0]}" if close else "leave it out"
        raise UserError(
            f"Expected the arguments of keras.Model.{method.__name__}. Received: "
            f"{', '.join(unknown) or one_line(error)}; {fix}"
        ) from None


def _names(method: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(method).parameters)


def _check_counts(arguments: dict[str, Any]) -> None:
    for name, minimum in COUNTS.items():
        value = arguments.get(name)
        endless = name == "steps_per_epoch" and as_integer(value) == -1
        if value is None or endless or isinstance(value, (list, tuple)):
            continue
        arguments[name] = as_count(name, value, minimum)
    share = arguments.get("validation_split", 0.0)
    if share is not None and not (is_number(share) and 0.0 <= share < 1.0):
        raise UserError(
            "Expected a validation_split of 0 or more and under 1. Received: "
            f"{share!r}; pass the fraction of the images to keep for validation"
        )


def check_callbacks(values: Any, optimizer: Any) -> None:
    """Raises `UserError` for what is no callback; a loss that is watched is to fall.

    Args:
        values: What `fit` got as callbacks.
        optimizer: The model's: see `ganlab.models.optimizers.BothOptimizers`.
    """
    schedule = keras.optimizers.schedules.LearningRateSchedule
    rates = [one._learning_rate for one in getattr(optimizer, "optimizers", ())]
    scheduled = any(isinstance(rate, schedule) for rate in rates)
    if isinstance(values, callbacks.CallbackList):
        values = values.callbacks
    for value in keras.tree.flatten(values):
        if value is not None and not isinstance(value, callbacks.Callback):
            fix = "wrap a function: keras.callbacks.LambdaCallback(on_epoch_end=...)"
            if isinstance(value, type):
                fix = f"pass an instance, {value.__name__}()"
            raise UserError(
                f"Expected keras.callbacks.Callback objects. Received: {brief(value)}; "
                f"{fix}"
            )
        if scheduled and isinstance(value, SETTING):
            raise UserError(
                "Expected learning rates that can be set, floats. Received: "
                f"{type(value).__name__}, and an optimizer with a schedule; leave one "
                "out"
            )
        watched = str(getattr(value, "monitor", ""))
        if isinstance(value, WATCHING) and watched.endswith("_loss"):
            value.mode = "min" if value.mode == "auto" else value.mode


def check_flags(*, jit_compile: Any = "auto", **flags: Any) -> None:
    """Raises `UserError` for a value that is neither `True` nor `False`.

    `jit_compile` may be `"auto"` too.
    """
    if jit_compile != "auto":
        flags["jit_compile"] = jit_compile
    for name, value in flags.items():
        if not isinstance(value, (bool, np.bool_)):
            raise UserError(
                f"Expected {name} to be True or False. Received: {value!r}; write one"
            )


def _refuse_endless(data: Any, name: str) -> None:
    """Raises `UserError` for a data set that repeats without end, unless it is said."""
    endless = tf.data.INFINITE_CARDINALITY
    if isinstance(data, tf.data.Dataset) and int(data.cardinality()) == endless:
        fix = f"pass {name}, or leave .repeat() out"
        raise UserError(
            f"Expected {name} for a data set that repeats without end. Received: none; "
            f"{fix}"
        )


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """Turns what Keras's readers and callbacks raise into a `UserError`.

    What code of the user's raises that they call stays as it is.
    """
    try:
        yield
    except UserError:
        raise
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        files = [
            Path(frame.filename).parts
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        for folder, expected, fix in OF_KERAS:
            if raised_in(files, folder):
                raise UserError(
                    f"Expected {expected}. Received: {one_line(error)}; {fix}"
                ) from None
        raise


def raised_in(files: list[tuple[str, ...]], folder: str) -> bool:
    """Whether Keras raised an error in one of its folders, or from there.

    Args:
        files: The parts of the paths of a traceback's files, the innermost last.
        folder: Name of Keras's folder.
    """
    within = [i for i, file in enumerate(files) if {"keras", folder} <= {*file}]
    return bool(within) and all({*PACKAGES} & {*file} for file in files[within[0] :])


@contextlib.contextmanager
def own_errors(raised: list[Exception]) -> Iterator[None]:
    """Raises what an iterator of the user's raised, which TensorFlow wraps.

    Args:
        raised: Such errors, as `given.checked` keeps them.
    """
    try:
        yield
    except tf.errors.OpError:
        if raised:
            raise raised[0] from None
        raise
