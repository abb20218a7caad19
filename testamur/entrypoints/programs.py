"""The programs `dramatiq` and `periodiq` as `testamur worker` and `testamur scheduler` start them.

The same as by themselves, but for the log: from its first line on it has the format of the setting
`log_format`. Their own main processes load no actor, and would write lines of their own.
"""

import logging
import sys

from testamur.adapters.metrics.shared_files import remove_own
from testamur.entrypoints.log_lines import set_up_logging
from testamur.entrypoints.settings import load_settings


def main(arguments: list[str]) -> int:
    """Run one of the programs until it is stopped, and return its exit code.

    Args:
        arguments: Its name, and its own arguments.
    """
    name, *own = arguments
    verbose = "--verbose" in own
    set_up_logging(load_settings().settings.log_format, logging.DEBUG if verbose else logging.INFO)
    if name == "periodiq":
        import periodiq

        sys.argv = [name, *own]
        periodiq.entrypoint()  # it leaves with its own exit code
    from dramatiq import cli

    # On SIGHUP, Dramatiq has itself replaced by the program that this names.
    sys.argv = [sys.executable, "-m", __spec__.name, *arguments]
    parsed = cli.make_argument_parser().parse_args(own)  # type: ignore[no-untyped-call]
    try:
        code: int = cli.main(parsed)  # type: ignore[no-untyped-call]
    finally:
        remove_own()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
