"""The lock under which findings are recorded."""

from typing import Final

#: Held while what was found about a page of learners is recorded, and by erasures, so that no name
#: is recorded of somebody who is erased in this moment.
RECORD_FINDINGS: Final = "record findings"
