"""What the scheduler decides: pure, so that every rule is tried without clock or database."""
