"""The audit trail on a database that speaks SQL: rows of numbers, and how they are searched."""
