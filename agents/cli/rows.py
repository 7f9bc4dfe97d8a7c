"""Where `evaluate` and `simulate` put what they find: rows of CSV, the table for people beside them, files by item."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stream.errors import WrongUse

if TYPE_CHECKING:
    from agents.simulation.closed_loop import DemandHistory


@contextmanager
def written(path: Path | None, columns: Sequence[str]) -> Iterator[Any]:
    """A function that writes a row beneath these columns; `-` is standard output, None nowhere."""
    if path is None:
        yield lambda _: None
        return
    if str(path) == "-":
        yield _begun(sys.stdout, columns)
        return
    try:
        file = path.open("w", newline="")
    except OSError as error:
        shown = f"--out={path} cannot be written ({error.strerror}): name a file in a folder that is there"
        raise WrongUse(shown) from None
    with file:
        yield _begun(file, columns)


def folder(path: Path) -> Path:
    """A folder for pictures, made before the work begins and not after it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(f"--plot={path} cannot be made a folder ({error.strerror}): name another") from None
    return path


def history_in(path: Path) -> "tuple[DemandHistory, list[str]]":
    """Read a history and its dates; WrongUse says what is wrong with the file."""
    from agents.simulation.history_file import read_history

    try:
        return read_history(path)
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> WrongUse:
    """What is wrong with a history, in a line with its name.

    >>> _unreadable(Path("h.csv"), FileNotFoundError(2, "No such file or directory"))
    WrongUse('h.csv cannot be read (No such file or directory): name a file of item,date,demand')
    """
    if isinstance(error, UnicodeDecodeError):
        return WrongUse(f"{path} is no UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8")
    if isinstance(error, OSError | EOFError):
        shown = getattr(error, "strerror", None) or error
        return WrongUse(f"{path} cannot be read ({shown}): name a file of item,date,demand")
    return WrongUse(str(error))


def beside(path: Path | None) -> IO[str]:
    """Where figures go: not among the rows."""
    return sys.stderr if str(path) == "-" else sys.stdout


def file_name(item: str) -> str:
    """An item's name as a part of a file's.

    >>> file_name("TEA/01@BER1")
    'TEA_01@BER1'
    """
    return "".join(letter if letter.isalnum() or letter in "-_@." else "_" for letter in item)[:60]


def _begun(file: IO[str], columns: Sequence[str]) -> Any:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    return writer.writerow
