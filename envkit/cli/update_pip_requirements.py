"""`envkit update-pip-requirements`: `update-requirements` under MLflow's name."""

from envkit.cli.update_requirements import command

__all__ = ["command"]
