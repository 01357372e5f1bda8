"""Sessions, access tokens and their keys, and the API clients of suppliers and of our own services."""
