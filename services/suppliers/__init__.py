"""Who sells it, on which terms, and what they have."""
