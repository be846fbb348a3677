"""`outrider backup`: a consistent copy of the database, while the platform runs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from outrider.cli.asking import DATA, Data, Exit, Json
from outrider.cli.shown import complain, print_json

DATABASE = "outrider.db"


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the copy goes; made if need be.", show_default=False)
    ],
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Copy the database as it is at one moment; the platform may run.

    To restore: stop the platform, put the copy in the place of outrider.db in the data folder, remove outrider.db-wal
    and outrider.db-shm beside it, and start. Keys are not copied: a platform without them makes new ones, and tokens
    of the old development key are void.
    """
    target = folder / DATABASE
    if target.exists():
        complain(f"{target} exists already; nothing was copied.", "Give every backup a folder of its own.")
        raise typer.Exit(Exit.NO)
    if not (data / DATABASE).is_file():
        complain(f"{data} has no database: name a platform's data folder with --data.")
        raise typer.Exit(Exit.NO)
    from outrider.adapters.store.sqlite import DatabaseUnusable

    try:
        size = _copy(data / DATABASE, target)
    except DatabaseUnusable as error:
        complain(str(error))
        raise typer.Exit(Exit.NO) from None
    except OSError as error:
        complain(f"{target} can't be written: {error.strerror or error}")
        raise typer.Exit(Exit.NO) from None
    print_json({"file": str(target), "bytes": size}) if as_json else typer.echo(f"{target}  {size / 1e6:.1f} MB")


def _copy(source: Path, target: Path) -> int:
    """The copy, whole and on disk before it has its name; says its size in bytes."""
    import sqlite3

    from outrider.adapters.store.sqlite import SqliteStore

    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    store = SqliteStore(source, read_only=True)
    try:
        store.backup(draft)
        draft.chmod(0o600)
        with draft.open("rb") as copied:
            os.fsync(copied.fileno())
        draft.rename(target)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    finally:
        draft.unlink(missing_ok=True)
        store.close()
    return target.stat().st_size
