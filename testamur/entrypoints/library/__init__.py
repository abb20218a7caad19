"""The library facade: issue credentials from any Python program in a few lines.

For example::

    with Testamur.open(Settings(source_folder="exports")) as testamur:
        testamur.add_asset("diploma", Path("diploma.pdf"))
        ...
        outcome = testamur.run(configuration)
"""

from testamur.entrypoints.library.facade import Testamur as Testamur
from testamur.entrypoints.library.issuing import RunOutcome as RunOutcome
