"""Data files: what is read from them, and all that can be wrong with them."""
