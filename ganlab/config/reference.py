"""Reference of the settings as Markdown, made from their table."""

from ganlab.config.settings import SETTINGS, Monitoring
from ganlab.config.table import GROUPS, Setting, rows

COLUMNS = ("setting", "type", "default", "values", "what it decides")


def settings_table() -> str:
    """Returns one table a group: name, type, default, values, meaning, networks."""
    lines: list[str] = []
    for group in GROUPS:
        columns = (*COLUMNS, "networks") if group == "Networks" else COLUMNS
        lines += [f"## {group}", "", _table_row(columns), "|---" * len(columns) + "|"]
        for setting in SETTINGS.values():
            if setting.group == group:
                lines.append(_table_row(_cells(setting)[: len(columns)]))
        lines.append("")
    return "\n".join(lines).rstrip()


def _cells(setting: Setting) -> tuple[str, ...]:
    name = f"`{setting.name}`"
    if setting.flag:
        name += f"<br>`{setting.option}`"
    if setting.name in rows(Monitoring) and setting.group != "Monitoring":
        name += "<br>of `Monitoring`"
    values = setting.bounds
    if setting.choices:
        values = ", ".join(f"`{choice}`" for choice in setting.choices)
    if setting.separator:
        values += f" or several joined by `{setting.separator}`"
    default = f"`{setting.default_text}`"
    if setting.default is None:
        default = f"`none`: {setting.unset}"
    networks = ", ".join(f"`{network}`" for network in setting.networks)
    return name, setting.kind.__name__, default, values, setting.help, networks


def _table_row(cells: tuple[str, ...]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
