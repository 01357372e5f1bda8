"""Before there is an order: joint purchasing notices of groups in a circle. Requests for quotes join here."""
