"""Lets ``python -m testamur.entrypoints.cli`` stand for ``testamur``."""

import sys

from testamur.entrypoints.cli.app import main

sys.exit(main())
