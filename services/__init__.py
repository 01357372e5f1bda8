"""Four services, one PostgreSQL database each. Who calls whom:

    members    <- everyone     public keys (once), a company's public identity
    catalog    <- suppliers    resolve variants          catalog   follows suppliers (search index)
    suppliers  <- orders       reserve, release          suppliers follows orders    (consume, release)
                                                         suppliers follows catalog   (standards, restrictions)
    orders    <- members      open orders of who leaves  suppliers follows members   (companies that left)

Calls go over HTTP through `shared.clients`, typed by `shared.contracts`; facts travel by feeds
(`shared.feed`, `shared.follower`) and take effect in each service's `reactions.py`.
"""
