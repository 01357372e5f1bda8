"""Framework agreements of a legacy platform, staged: read and resolved, in force nowhere yet."""
