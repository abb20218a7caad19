"""Example plugins for Testamur; each module stands on its own."""
