"""How learners are told: messages in their language, and the ways that they go."""
