"""`python -m envkit`."""

from envkit.cli.main import main

main(prog_name="envkit")
