"""Values, events and decisions: pure, without I/O, clock or framework."""
