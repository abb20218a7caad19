"""The command line. Each group of commands has a room of its own in this package."""

from testamur.entrypoints.cli.app import main, program

__all__ = ["main", "program"]
