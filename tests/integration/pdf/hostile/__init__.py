"""Templates that are damaged, absurd or made to do harm: drawn over and clean, or refused."""
