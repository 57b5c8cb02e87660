"""The program: its verbs, and how any run of it ends."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
import warnings
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from gridmap import catalogue
from gridmap.errors import GridmapError, InputError, Place, StoreError, UsageError

#: Exit status of a program that an interrupt ended, and of one whose reader went away.
INTERRUPTED, READER_GONE = 130, 141


class _Ended(Exception):  # noqa: N818 - not an error
    """Brings an ending, which Typer would give an exit status of its own, past it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Verbs(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _Ended(INTERRUPTED) from None
        except BrokenPipeError:
            raise _Ended(READER_GONE) from None


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=catalogue.text("cli.help"),
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gridmap {version('gridmap')}")
        raise typer.Exit


@app.callback()
def options_before_the_verb(
    _version: Annotated[
        bool, typer.Option("--version", help=catalogue.text("cli.version"), callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Answer ``--version``."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; errors of the user's become one message and an exit status, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character must not cost the user the result.
            stream.reconfigure(errors="backslashreplace")
    if arguments is None:
        # Ended from outside (a time limit, a container that stops), a run cleans up as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if not sys.warnoptions:
            # Those of libraries, with lines of their code: what a user should know, we say ourselves.
            warnings.simplefilter("ignore")
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    try:
        outcome = app(args=arguments, standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except GridmapError as error:
        return _refused(error)
    except _Ended as end:
        if end.status == INTERRUPTED:
            typer.echo(catalogue.text("cli.interrupted"), err=True)
        else:
            _drop_output()
        return end.status
    except BrokenPipeError:
        _drop_output()
        return READER_GONE
    except MemoryError:
        return _refused(StoreError("cli.out_of_memory"))
    except OSError as error:
        _drop_output()
        place = Place(file=os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        return _refused(StoreError("cli.system_refused", place, reason=error.strerror or str(error)))
    except Exception as error:
        return _unforeseen(error)
    return outcome if isinstance(outcome, int) else 0


def _refused(error: GridmapError) -> int:
    typer.echo(f"gridmap: {error}", err=True)
    return error.exit_code


def _drop_output() -> None:
    """Let what is still to be flushed go nowhere: the interpreter would complain of it as it ends."""
    output = sys.__stdout__
    if output is not None and sys.stdout is output:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output.fileno())
        os.close(nowhere)


def _unforeseen(error: Exception) -> int:
    """Status of what is none of our errors: a call that Typer refuses, a setting that is none, or a bug."""
    from pydantic import ValidationError

    if hasattr(error, "show"):
        error.show()
        return int(getattr(error, "exit_code", InputError.exit_code))
    if isinstance(error, ValidationError) and error.title == "Settings":
        fault = error.errors()[0]
        variable = f"GRIDMAP_{fault['loc'][0]}".upper()
        return _refused(UsageError("cli.bad_setting", variable=variable, value=fault["input"], reason=fault["msg"]))
    traceback.print_exception(error)
    return _refused(StoreError("cli.bug", fault=f"{type(error).__name__}: {error}"))
