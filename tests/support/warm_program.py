"""A `testamur` that starts at once: each command is forked from a process that has loaded all.

The documentation runs more than a hundred commands, and most of the time of each would be Python's,
which loads the program. Other tests start the real one, as `tests.e2e.test_cli_program` does.
"""

import gc
import marshal
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_ROOT: Final = Path(__file__).parent.parent.parent
_START_SECONDS: Final = 60

#: What the reader's program would never answer by itself.
_NO_ANSWER: Final = 70

#: The program that readers call; it loads next to nothing, and hands over all that it was given.
_PROGRAM: Final = """\
#!{python} -IS
import gc
import marshal, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = marshal.dumps((sys.argv[1:], os.getcwd(), dict(os.environ)))
    sent = socket.send_fds(server, [asked], [0, 1, 2])
    server.sendall(asked[sent:])
    server.shutdown(socket.SHUT_WR)
    code = server.recv(1)
sys.exit(code[0] if code else {no_answer})
"""


@contextmanager
def warm_program() -> Iterator[Path]:
    """Give a folder with a program `testamur` for as long as the context lasts."""
    with TemporaryDirectory(prefix="testamur-warm-") as name:
        address, program = Path(name, "socket"), Path(name, "testamur")
        text = _PROGRAM.format(python=sys.executable, address=str(address), no_answer=_NO_ANSWER)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        command = [sys.executable, "-m", "tests.support.warm_program", str(address)]
        # It ends when its standard input does, so even where this process is killed.
        with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=_ROOT) as server:
            until = time.monotonic() + _START_SECONDS
            while not address.exists():
                if server.poll() is not None or time.monotonic() > until:
                    server.kill()
                    raise RuntimeError("the server of warm programs did not start")
                time.sleep(0.02)
            yield program.parent


def _serve(address: str) -> None:
    """Fork a process for each command that is asked for, until standard input ends."""
    # Takes a while, and only this process needs it.
    import tests.support.used_once  # noqa: F401, PLC0415

    gc.freeze()  # else each process forked would copy what it only goes over
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{address}.unfinished")
        listening.listen()
        Path(f"{address}.unfinished").rename(address)
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    listening.close()
                    _keep(connection)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _keep(connection: socket.socket) -> None:
    """Run a command in a process of its own, and answer with its exit code once it has ended."""
    message, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    while more := connection.recv(1 << 16):
        message += more
    process = os.fork()
    if process == 0:
        connection.close()
        asked: tuple[list[str], str, dict[str, str]] = marshal.loads(message)
        _become(*asked, streams)
    _, status = os.waitpid(process, 0)
    connection.sendall(bytes([os.waitstatus_to_exitcode(status) % 256]))
    os._exit(0)


def _become(
    arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]
) -> None:
    """Run a command as the program does that was called so, and end as it does."""
    from testamur.entrypoints.cli import program  # noqa: PLC0415

    for wanted, given in enumerate(streams):
        os.dup2(given, wanted)
        os.close(given)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["testamur", *arguments]
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    sys.exit(program())


if __name__ == "__main__":
    _serve(sys.argv[1])
