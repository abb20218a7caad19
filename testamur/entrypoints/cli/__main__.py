"""Lets ``python -m testamur.entrypoints.cli`` stand for ``testamur``."""

import sys

from testamur.entrypoints.cli.app import program

sys.exit(program())
