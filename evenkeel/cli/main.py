"""The command line: ``evenkeel COMMAND``.

Commands live in :mod:`evenkeel.cli` and are imported only when called, so that ``--help``
answers at once.  Exit codes: 0 held, 1 violated, 2 usage or bad input, 3 inconclusive.
"""

import sys
from importlib import import_module

import click

# Name and one line of help; the module of that name in evenkeel.cli has the command.
COMMANDS = {
    "reproduce": "Check every claim and write a report.",
    "claims": "List the claims, or show one with its proof.",
    "check": "Check one claim, as stated or deliberately falsified.",
    "simulate": "Run policies on a workload or a trace.",
    "experiment": "The paper's experiments again, beside its reported numbers.",
    "policies": "The built-in policies side by side: regret, energy, waiting.",
    "sweep": "Run policies over a grid of systems and workloads.",
    "assess": "Would balancing help this trace on this hardware?",
    "energy": "Bounds on the energy saving for given hardware.",
    "attack": "Find the worst instance for a policy.",
    "gallery": "Show the stored witnesses step by step.",
    "solve": "Solve one admission step exactly.",
    "optimum": "The best schedule of a small backlog when every length is known.",
    "verify": "Check certificates, with the standard library alone.",
    "figures": "Regenerate the figures.",
    "doctor": "Name the solvers and test them on hand-solved instances.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"evenkeel.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evenkeel")
def cli() -> None:
    """Proof companion for barrier load balancing (arXiv 2601.17855).

    Exit codes: 0 held, 1 violated, 2 usage or bad input, 3 inconclusive.
    """


def main() -> None:
    """Run the command line; every error is one line on stderr and the right exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        code = 130
    except BrokenPipeError:
        code = 0
    except Exception as error:
        from theory.model import InputError

        if not isinstance(error, InputError | MemoryError):
            raise
        click.echo(f"error: {error or 'not enough memory'}", err=True)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)
