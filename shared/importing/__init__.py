"""Imports of a legacy platform's files: one machinery for every kind of file, in every service that takes some.

states    what an import and a row of it may become (domain.md 3.3)
columns   which columns a file has and what their cells say
files     from CSV or XLSX to rows
tables    the four tables every importing service has
store     reading and writing them
runner    the worker: leases, steps, the port (`ImportKind`) behind which a service says what its rows mean
routes    the HTTP side of one kind of file
"""
