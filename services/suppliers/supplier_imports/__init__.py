"""A contractor's list of suppliers from its legacy platform: read, matched to companies, related to its group."""
