"""The command line: ``evenkeel COMMAND``.

Commands live in :mod:`evenkeel.cli` and are imported only when called, so that ``--help``
answers at once; what their exit codes mean is in :mod:`evenkeel.exits`.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module

import click

from evenkeel.exits import Options, run
from evenkeel.plain_text import spell_out

# Of each command: the module of evenkeel.cli that has it under its own name, and a line of help.
COMMANDS = {
    "reproduce": ("reproduce", "Check every claim and write a report."),
    "claims": ("claims", "List the claims, or show one with its proof."),
    "check": ("check", "Check one claim, as stated or deliberately falsified."),
    "simulate": ("simulate", "Run policies on a workload or a trace."),
    "experiment": ("study", "The paper's experiments again, beside its reported numbers."),
    "policies": ("study", "The built-in policies side by side: regret, energy, waiting."),
    "sweep": ("study", "Run policies over a grid of systems and workloads."),
    "assess": ("assess", "Would balancing help this trace on this hardware?"),
    "formats": ("formats", "The request traces that can be read, and which fields."),
    "measure": ("measure", "What a fleet's own logs say: who waits, for whom, and at what cost."),
    "energy": ("energy", "Bounds on the energy saving for given hardware."),
    "attack": ("attack", "Find the worst instance for a policy."),
    "gallery": ("verify", "Show the stored witnesses step by step."),
    "solve": ("solve", "Solve one admission step exactly."),
    "optimum": ("solve", "The best schedule of a small backlog when every length is known."),
    "verify": ("verify", "Check certificates, with the standard library alone."),
    "figures": ("figures", "Regenerate the figures."),
    "explore": ("explore", "A page to play with: energy, theorems, and the barrier."),
    "new": ("new", "Start a claim, policy, family or figure of your own, with a test."),
    "doctor": ("doctor", "Name the solvers and test them on hand-solved instances."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"evenkeel.cli.{module}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evenkeel")
@click.option("--debug", is_flag=True, help="Show where an error was raised.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Proof companion for barrier load balancing (arXiv 2601.17855).

    Exit codes: 0 held, 1 violated, 2 usage or bad input, 3 inconclusive, 4 no answer (an internal
    error, or no disk, memory or process left).
    """
    if debug and ctx.obj is not None:
        ctx.obj.debug = True


def command(options: Options) -> object:
    """Run the command that the words of the command line name; returns its exit code."""
    if "_EVENKEEL_COMPLETE" in os.environ:  # a shell asks how a word may go on
        with suppress(SystemExit):
            return cli.main(prog_name="evenkeel", standalone_mode=False)
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise click.ClickException("the current folder was removed: go to another") from error
    try:
        # Not by click's own main, which has other exit codes for signals and pipes.
        with cli.make_context("evenkeel", sys.argv[1:], obj=options) as ctx:
            return cli.invoke(ctx)
    except click.exceptions.Exit as stop:
        return stop.exit_code


def main() -> None:
    """Run the command line; every error is one line on stderr and the right exit code."""
    spell_out()
    run(command)
