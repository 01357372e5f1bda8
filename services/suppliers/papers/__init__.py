"""The papers of suppliers: which are needed, what was handed in, who looked at them, when they end."""
