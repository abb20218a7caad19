"""Stands in for edx-platform and its plugins: the same names and signatures, over rows in memory.

It is strict where a wrong call would pass unseen: an unknown lookup or keyword is an error, a row
that was not asked for in order comes in no order, and each statement to the database is counted.
"""

from tests.support.edx_platform.lms import StandInLms

__all__ = ["StandInLms"]
