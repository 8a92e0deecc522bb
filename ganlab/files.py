"""Files and folders: is a folder new?"""

from ganlab.errors import UserError


def check_new_folder(path, kind, holds, fix):
    """Raises `UserError` unless `path` is a new or empty folder.

    Args:
        path: A `Path`.
        kind: What the folder is for.
        holds: What to say of a folder in use.
        fix: What to do instead.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(
            f"Expected a new or empty folder for the {kind}. Received: {path}, which "
            f"{holds}; {fix}"
        )
