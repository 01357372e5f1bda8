"""The codes other systems have for our component types; each code finds the type."""
