"""What a company takes with it: all its own rows as files, counterparties pseudonymised (T11).

contents  whose rows a table holds, how a row is shaped, the manifest and its check
jobs      the worker that writes an export
routes    asking for one and fetching it
"""
