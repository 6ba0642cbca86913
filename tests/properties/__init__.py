"""Laws: what holds for all values, not only for those that somebody thought of."""
