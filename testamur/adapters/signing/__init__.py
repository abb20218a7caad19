"""Keys that documents are signed with, and time-stamps for what is signed."""
