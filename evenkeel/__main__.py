"""``python -m evenkeel``: the command line, which hears Ctrl-C before it loads anything large."""

from evenkeel.exits import Options, run


def main() -> None:
    """Run the command line."""
    run(_command)


def _command(options: Options) -> object:
    from evenkeel.cli.main import command

    return command(options)


if __name__ == "__main__":
    main()
