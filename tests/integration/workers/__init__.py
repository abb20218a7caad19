"""The queue of several workers, on a real server."""
