"""Typed clients, one a service: explicit timeouts, answers and refusals by `shared.contracts`."""
