"""Who takes part, and what may they see: companies, people and their roles, sign-in, tokens, API clients,
circles of contractor groups and the stages by which they open categories."""
