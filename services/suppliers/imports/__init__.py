"""A supplier's ERP keeps stock and prices current: files of any size, row by row accounted for."""
