"""Four services, one PostgreSQL database each. Who calls whom:

    members    <- everyone     public keys (once), a company's public identity
    suppliers  <- members      measure suppliers         orders     <- members      measure spend (gates of stages)
    catalog    <- members      types of a category       suppliers follows members  (stages, circles, groups)
    catalog    <- suppliers    resolve variants          catalog   follows suppliers (search index)
    suppliers  <- orders       reserve, release          suppliers follows orders    (consume, release)
                                                         suppliers follows catalog   (standards, restrictions)
                                                         orders    follows members   (stages, circles)
                                                         members   follows orders, suppliers, itself (webhooks)
                                                         orders    follows suppliers (blacklists)

Calls go over HTTP through `shared.clients`, typed by `shared.contracts`; facts travel by feeds
(`shared.feed`, `shared.follower`) and take effect in each service's `reactions.py`.
"""
