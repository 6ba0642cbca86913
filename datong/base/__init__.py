"""Knows nothing of business: errors, clock, money, JSON, secrets, log. The one door for time, money and JSON."""
