"""Tamper evidence: the log is sealed in a Merkle tree, verified, and proven to outsiders."""
