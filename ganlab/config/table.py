"""One row of the table of settings, and what is made of rows: checks and docstrings."""

import dataclasses
import math
import numbers
import textwrap
import typing
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from ganlab.config.choices import NETWORKS
from ganlab.data.sizes import sides, size_of
from ganlab.errors import UserError, as_integer, brief, unknown_name

GROUPS = ("Run", "Data", "Networks", "Objective", "Training", "Monitoring")
KINDS = {
    bool: "true or false",
    int: "an integer",
    float: "a finite number",
    str: "a text",
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """All that is known of a setting.

    Args:
        help: What it decides, as a phrase.
        group: One of `GROUPS`.
        choices: The values that it may have; empty where any may be.
        separator: What joins several choices in one value; empty for one alone.
        minimum: Smallest value, or `None`.
        maximum: Largest value, or `None`.
        above: What the value must be larger than, or `None`.
        below: What the value must be smaller than, or `None`.
        unset: What `None` stands for; empty where the value is always set.
        flag: Whether `ganlab train` has an option of its own for it.
        metavar: Placeholder of its value in `--help`.
        networks: Names of the networks that take it.
        generator: The argument of a generator's function that it becomes, or `None`.
        discriminator: Likewise of a discriminator's.
        midway: Whether training can go on from the same weights when it changes.
        sized: Whether it is a size of images: an integer, or `HEIGHTxWIDTH`. Bounds
            are those of either side.
        name: The field's name.
        kind: `bool`, `int`, `float` or `str`.
        default: The field's default.
    """

    help: str
    group: str
    choices: tuple[Any, ...] = ()
    separator: str = ""
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    unset: str = ""
    flag: bool = False
    metavar: str = ""
    networks: tuple[str, ...] = NETWORKS
    generator: str | None = None
    discriminator: str | None = None
    midway: bool = False
    sized: bool = False
    name: str = ""
    kind: type = str
    default: Any = None

    @property
    def words(self) -> str:
        """The name in a sentence."""
        return self.name.replace("_", " ")

    @property
    def option(self) -> str:
        """The name of its own option."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def bounds(self) -> str:
        """The bounds in words; empty where there are none.

        >>> Setting("", "Run", minimum=1).bounds
        '1 or more'
        >>> Setting("", "Run", above=0, maximum=1).bounds
        'above 0 and at most 1'
        """
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum} to {self.maximum}"
        bounds = {
            "{} or more": self.minimum,
            "above {}": self.above,
            "at most {}": self.maximum,
            "under {}": self.below,
        }
        texts = [
            text.format(bound) for text, bound in bounds.items() if bound is not None
        ]
        return " and ".join(texts)

    @property
    def values(self) -> str:
        """The choices or the bounds in words; empty where any value may be.

        >>> Setting("", "Objective", choices=("none", "r1", "r2"), separator="+").values
        'one of none, r1, r2 or several joined by +'
        """
        if not self.choices:
            return self.bounds
        names = f"one of {', '.join(str(choice) for choice in self.choices)}"
        joined = f" or several joined by {self.separator}" if self.separator else ""
        return names + joined

    @property
    def default_text(self) -> str:
        """The default in words."""
        if self.default is None:
            return self.unset
        if isinstance(self.default, bool):
            return str(self.default).lower()
        return str(self.default)

    def check(self, value: Any) -> None:
        """Raises `UserError` for a value that the setting cannot have."""
        if value is None and self.unset:
            return
        values = [value]
        if self.choices:
            self._check_choice(value)
        elif self.sized:
            values = list(sides(value))
        elif not self._is_of_kind(value):
            raise UserError(
                f"Expected {self.words}, {KINDS[self.kind]}. Received: {brief(value)}"
            )
        if not all(map(self._is_within, values)):
            joint = " " if self.bounds.startswith("above") else " of "
            raise UserError(
                f"Expected {self.words}{joint}{self.bounds}. Received: {value}"
            )

    def stated(self, value: Any) -> Any:
        """A value in the one form that settings state it in.

        >>> Setting("", "Data", sized=True).stated((64, 64))
        64
        """
        if self.sized and value is not None:
            return size_of(*sides(value))
        return value

    def _is_within(self, value: Any) -> bool:
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def _is_of_kind(self, value: Any) -> bool:
        if self.kind is int:
            return as_integer(value) is not None
        if self.kind is float:
            number = isinstance(value, numbers.Real)
            return number and math.isfinite(value)
        return isinstance(value, self.kind)

    def _check_choice(self, value: Any) -> None:
        several = self.separator and isinstance(value, str)
        for part in value.split(self.separator) if several else [value]:
            name = part.strip().replace("-", "_") if isinstance(part, str) else part
            if name not in self.choices:
                raise unknown_name(self.name, part, self.choices)


def setting(
    default: Any,
    help: str,
    *,
    group: str,
    choices: tuple[Any, ...] = (),
    separator: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    unset: str = "",
    flag: bool = False,
    metavar: str = "",
    networks: tuple[str, ...] = NETWORKS,
    generator: str | None = None,
    discriminator: str | None = None,
    midway: bool = False,
    sized: bool = False,
) -> Any:
    """A dataclass field with its row of the table: see `Setting`."""
    row = Setting(
        help,
        group,
        choices,
        separator,
        minimum,
        maximum,
        above,
        below,
        unset,
        flag,
        metavar,
        networks,
        generator,
        discriminator,
        midway,
        sized,
    )
    return dataclasses.field(default=default, metadata={"setting": row})


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings that are checked when they are made."""

    def __post_init__(self) -> None:
        for name, row in rows(type(self)).items():
            row.check(getattr(self, name))
            object.__setattr__(self, name, row.stated(getattr(self, name)))

    def replace(self, **changes: Any) -> Self:
        """Returns a copy with some settings changed."""
        return dataclasses.replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Returns the settings as a flat dict of JSON values."""
        return dataclasses.asdict(self)


def rows(cls: type[Settings]) -> Mapping[str, Setting]:
    """Returns a dict from the name of each setting of a class to its `Setting`."""
    table = {}
    for field in dataclasses.fields(cls):
        kinds = typing.get_args(field.type) or (field.type,)
        table[field.name] = dataclasses.replace(
            field.metadata["setting"],
            name=field.name,
            kind=kinds[0],
            default=field.default,
        )
    return table


Class = TypeVar("Class", bound=type[Settings])


def documented(cls: Class) -> Class:
    """Adds the settings of a class to its docstring."""
    lines = [(cls.__doc__ or "").rstrip(), "", "    Args:"]
    for row in rows(cls).values():
        text = f"{row.help}; {row.values}" if row.values else row.help
        default = f"`{row.default!r}`"
        if row.default is None:
            default += f": {row.unset}"
        text = f"{row.name}: {text[0].upper()}{text[1:]}. Defaults to {default}."
        lines += textwrap.wrap(
            text,
            88,
            initial_indent=" " * 8,
            subsequent_indent=" " * 12,
            break_on_hyphens=False,
        )
    cls.__doc__ = "\n".join([*lines, "    "])
    return cls
