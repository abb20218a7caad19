"""Metrics for Prometheus: which there are, what is counted, and what is asked when they are read.

What needs the package `prometheus_client` imports it when it is used, and not before.
"""
