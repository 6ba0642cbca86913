"""One folder per product. A connector knows its product and nothing else: no store, no matching, no engine."""
