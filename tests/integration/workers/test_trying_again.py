"""What the queue tries again: what nobody could record, or another worker was in the way of."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

_ASKED: Final = """
import json
from dramatiq import Retry
from dramatiq.middleware import TimeLimitExceeded
from testamur.application.errors import EventStoreError, QueueError, RetrievalError
from testamur.entrypoints import worker

errors = [EventStoreError("x"), QueueError("x"), Retry("x"), TimeLimitExceeded()]
errors.append(RetrievalError("x"))
told = {}
for name in ("run_configuration", "award_page", "reconcile"):
    retry_when = worker.broker.get_actor(name).options["retry_when"]
    told[name] = [retry_when(0, error) for error in errors] + [retry_when(8, errors[0])]
print(json.dumps(told))
"""


def test_a_run_and_its_pages_are_tried_again_where_no_record_says_when(tmp_path: Path) -> None:
    # Connects to nothing: the actors are only declared.
    queue = {"TESTAMUR_QUEUE": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-c", _ASKED],
        cwd=tmp_path,
        env=os.environ | queue,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    expected = [True, True, True, True, False, False]
    assert json.loads(done.stdout) == dict.fromkeys(
        ["run_configuration", "award_page", "reconcile"], expected
    )
