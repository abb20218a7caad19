"""The event store, with the register and the learners' keys beside it."""
