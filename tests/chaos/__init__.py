"""Proof by force: the whole stack works while everything around it fails; see `test_chaos`."""
