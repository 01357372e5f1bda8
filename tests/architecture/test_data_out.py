"""Whoever adds a table says whether a company takes its rows out, and whose they are."""

import importlib

import pytest

from shared.data_out.contents import DataOut

SERVICES = ("members", "catalog", "suppliers", "orders")
SECRETS = ("secret", "password", "token_hash", "code_hash", "private")
KEYED_HASHES = ("representative_hash", "document_hash", "account_hash", "name_key", "bank_key")
"""Of numbers and names that can be guessed by whoever gets hold of the key."""


def data_out_of(service: str) -> DataOut:
    found: DataOut = importlib.import_module(f"services.{service}.data_out").DATA_OUT
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_is_exported_or_left_out_for_a_reason(service: str):
    out = data_out_of(service)
    tables = set(importlib.import_module(f"services.{service}.tables").metadata.tables)
    unnamed = tables - out.sheets.keys() - out.left_out.keys()
    assert not unnamed, f"add a Sheet, or a reason, to services/{service}/data_out.py for: {sorted(unnamed)}"
    assert not out.sheets.keys() & out.left_out.keys()
    assert not (out.sheets.keys() | out.left_out.keys()) - tables
    assert all(out.left_out.values())


@pytest.mark.parametrize("service", SERVICES)
def test_a_sheet_names_columns_that_are_there_and_no_secret_leaves(service: str):
    tables = importlib.import_module(f"services.{service}.tables").metadata.tables
    for name, sheet in data_out_of(service).sheets.items():
        columns = {column.name for column in tables[name].columns}
        companies = {each for each in (*sheet.people.values(), *sheet.hidden.values()) if each is not None}
        named = {*sheet.owners, *sheet.parties, *sheet.people, *sheet.hidden, *sheet.shown, *sheet.dropped, *companies}
        assert named <= columns, f"{name}: {sorted(named - columns)}"
        assert sheet.owners or sheet.where
        leaking = [
            each for each in columns - set(sheet.dropped) if any(mark in each for mark in (*SECRETS, *KEYED_HASHES))
        ]
        assert leaking in ([], ["previous_secret_until"]), f"{name}: {leaking}"
