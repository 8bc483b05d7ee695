"""The group of commands, and how each way to end becomes an exit status.

0 when all went well, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C. Errors raised on purpose are one
sentence on standard error; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import os
import sys
import warnings

import click

import d2l_core
from d2l_core.cli._bench import bench
from d2l_core.cli._checks import doctor
from d2l_core.cli._comparison import compare, verify
from d2l_core.cli._conformance import conformance
from d2l_core.cli._exercises import check, exercise
from d2l_core.cli._listings import backends, lessons
from d2l_core.cli._notebook import notebook
from d2l_core.cli._output import Interrupted, one_line
from d2l_core.cli._run import run
from d2l_core.errors import D2LError, UsageError

FAILURE, USAGE, INTERRUPTED = 1, 2, 130


class _InGivenOrder(click.Group):
    """Help lists the commands as they were added: the usual path of a newcomer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InGivenOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(d2l_core.__version__, prog_name="d2l")
def cli() -> None:
    """Run the lessons of a deep-learning curriculum on any framework, and compare frameworks."""


for command in (backends, lessons, run, compare, notebook, exercise, check, verify, conformance, bench, doctor):
    cli.add_command(command)


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        args: the words after ``d2l``; those of this process if None.
    """
    with warnings.catch_warnings():
        _shorten_own_warnings()
        sys.exit(_status(args))


def _status(args: list[str] | None) -> int:
    try:
        result = cli.main(args=args, prog_name="d2l", standalone_mode=False)
    except UsageError as error:
        return _fail(str(error), USAGE)
    except D2LError as error:
        return _fail(str(error), FAILURE)
    except Interrupted as error:
        return _fail(str(error), INTERRUPTED, "")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error), err=True)
        return USAGE
    except click.UsageError as error:
        hint = f' (see "{error.ctx.command_path} --help")' if error.ctx else ""
        return _fail(error.format_message().rstrip(".") + hint + ".", USAGE)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("Interrupted.", INTERRUPTED, "")
    except BrokenPipeError:
        # Whoever read the output has gone; without this, Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILURE
    return result if isinstance(result, int) else 0


def _fail(sentence: str, status: int, prefix: str = "Error: ") -> int:
    click.echo(prefix + one_line(sentence), err=True)
    return status


def _shorten_own_warnings() -> None:
    """Show a warning of this package as one line, without the place in its source."""
    package = os.path.dirname(d2l_core.__file__) + os.sep
    usual = warnings.formatwarning

    def shown(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if issubclass(category, UserWarning) and filename.startswith(package):
            return f"Warning: {message}\n"
        return usual(message, category, filename, lineno, line)

    warnings.formatwarning = shown
