"""Tests of the storage in a bucket, against a real server."""
