"""Who takes part, and what may they see: companies, people and their roles, sign-in, tokens, API clients."""
