"""Four services, one PostgreSQL database each. Who calls whom:

    members    <- everyone     public keys (once), a company's public identity
    suppliers  <- orders       reserve, release          catalog   follows suppliers (search index)
    catalog    <- suppliers    resolve variants          suppliers follows orders    (consume, release, scores)
    catalog    <- members      types of a category       suppliers follows catalog   (standards, restrictions)
    suppliers  <- members      measure suppliers         suppliers follows members   (stages, circles, groups, leaving)
    orders     <- members      measure spend, open       orders    follows members   (stages, circles)
                               orders of who leaves      orders    follows suppliers (blacklists)
                                                         members   follows orders, suppliers, itself (webhooks)

Calls go over HTTP through `shared.clients`, typed by `shared.contracts`; facts travel by feeds
(`shared.feed`, `shared.follower`) and take effect in each service's `reactions.py`.
"""
