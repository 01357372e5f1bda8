"""The rules that must never be broken (domain.md 3.5), tried where a rule is about more than one part.

T1   test_route_matrix.py (every route, every role, requests made up from the descriptions), test_canary.py (searches,
     refusals, logs, feeds, other services' tables; a rival is told the same whether it happened or not),
     test_random_worlds.py (random owners, stages, circles, admissions, consents and viewers over all four services);
     beneath them tests/shared/test_audience.py, tests/shared/test_stages.py and tests/suppliers/test_spaces.py
T2   test_canary.py, test_route_matrix.py, tests/orders/test_case_files.py
T3   test_what_is_not_there.py: there are no bids yet
T4   tests/orders/test_statistics.py, tests/orders/test_statistics_rules.py
T5   test_random_worlds.py, tests/suppliers/test_consents.py, tests/suppliers/test_paper_consents.py
T6   test_random_worlds.py, tests/members/test_stages.py, tests/suppliers/test_spaces.py
T7   tests/suppliers/test_blacklists.py
T8   tests/members/test_neutrality.py
T9   test_what_is_not_there.py, tests/catalog/test_search.py (explanations)
T10  test_what_is_not_there.py: nothing is charged for
T11  test_data_out.py, tests/members/test_leaving.py
T12  test_append_only.py, tests/orders/test_history.py
T13  test_what_is_not_there.py: there are no receivables yet
T14  test_documents_keep_their_amounts.py, tests/suppliers/test_merging.py, tests/catalog/test_mapping_publishing.py
T15  test_what_is_not_there.py: no money is held

`victim.py` makes a contractor with something of every kind, `matrix.py` and `forged.py` ask for it.
"""
