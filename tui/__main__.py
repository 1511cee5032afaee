"""`python -m tui` is `podium`."""

from tui.cli.main import main

if __name__ == "__main__":
    main(prog_name="podium")
