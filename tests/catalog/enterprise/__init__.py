"""Material lists as the ERP clerks of invented enterprises keep them, each row with what it truly names.

model        the row and its truth
trade        how a component type is talked about: names, parts, marks
houses       the writing habits of each enterprise
noise        typing mistakes, full-width characters, remarks, old standard numbers
rebar, structure, bulk, walls, precast, services, finishes
             the trades of the 77 types, by hand
others       what stands in such lists and is in no taxonomy, and near misses
assembly     rows in the stated mixture
"""
