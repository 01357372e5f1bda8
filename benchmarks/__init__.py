"""What we claim about speed, each figure beside its limit, measured in the same run on the same server.

`python -m benchmarks` starts a private instance (real processes, real PostgreSQL, nothing of its durability turned
off) in a folder of its own, fills it with a valid world, measures, checks that the data is exact afterwards, and
writes RESULTS.md.

product     the private instance: its folder, ports, processes
world       who trades what: companies, items, offers, stock, written set-based
catalog_world  a large catalog for the search
load        the load generator, a process of its own
limits      pgbench and psql doing the same work without the product
placing     benchmark 1: orders of 20 lines over 3 suppliers
syncing     benchmark 2: a million rows of stock and price
following   benchmark 3: from commit to applied in the followers
searching   benchmark 4: the search over a million offers
judging     benchmark 6: judged queries (`relevance`)
checks      no order lost or doubled, stock exact
report      medians, percentiles, tables
"""
