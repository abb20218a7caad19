"""Runs the benchmarks, all of them or those named: `python -m tests.benchmarks rendering`."""

import sys
from importlib import import_module
from pathlib import Path


def run(wanted: list[str]) -> None:
    files = Path(__file__).parent.glob("bench_*.py")
    names = sorted(file.stem.removeprefix("bench_") for file in files)
    for unknown in set(wanted) - set(names):
        sys.exit(f"no benchmark {unknown!r}: there is {', '.join(names) or 'none'}")
    for name in wanted or names:
        print(f"# {name}", flush=True)
        import_module(f"tests.benchmarks.bench_{name}").main()


run(sys.argv[1:])
