"""The rules that must never be broken (domain.md 3.5), tried where a rule is about more than one part.

T1   test_canary.py; beneath it tests/shared/test_audience.py and tests/suppliers/test_spaces.py (random owners, stages,
     circles and viewers against the policy)
T2   test_canary.py, tests/orders/test_case_files.py
T3   test_what_is_not_there.py: there are no bids yet
T4   tests/orders/test_statistics.py, tests/orders/test_statistics_rules.py
T5   tests/suppliers/test_consents.py, tests/suppliers/test_paper_consents.py
T6   tests/members/test_stages.py, tests/suppliers/test_spaces.py
T7   tests/suppliers/test_blacklists.py
T8   tests/members/test_neutrality.py
T9   test_what_is_not_there.py, tests/catalog/test_search.py (explanations)
T10  test_what_is_not_there.py: nothing is charged for
T11  the tests of data_out and leaving
T12  test_append_only.py, tests/orders/test_history.py
T13  test_what_is_not_there.py: there are no receivables yet
T14  tests/suppliers/test_merging.py, tests/catalog/test_mapping_publishing.py
T15  test_what_is_not_there.py: no money is held
"""
