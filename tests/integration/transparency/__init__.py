"""Tamper evidence, on real databases."""
